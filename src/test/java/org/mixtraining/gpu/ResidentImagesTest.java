package org.mixtraining.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.mixtraining.data.ImageSet;
import org.mixtraining.train.TrainingBatch.Raw;

/** Images on a device are brought there once, and stay no longer than they are of use. */
class ResidentImagesTest {
  private static final int BYTES = 3 * 4 * 4;

  private static Raw.Picked images(int count) {
    byte[][] pixels = new byte[count][BYTES];
    for (int i = 0; i < count; i++) {
      java.util.Arrays.fill(pixels[i], (byte) (i + 1));
    }
    long[] ids = LongStream.range(0, count).toArray();
    ImageSet images = ImageSet.of(ids, new int[count], new double[count], pixels, 3, 4, 4);
    return new Raw.Picked(images, new int[0], new double[0], new float[3 * 256], new byte[0]);
  }

  @Test
  void aSetIsBroughtOnceForAllEpochsThatAskForIt() {
    Raw.Picked images = images(4);
    HostGpu gpu = new HostGpu(Memory.Type.FLOAT);
    try (gpu;
        ResidentImages resident = new ResidentImages(gpu)) {
      Memory first = resident.of(images).images().orElseThrow();
      for (int epoch = 0; epoch < 3; epoch++) {
        assertThat(resident.of(images).images()).contains(first);
        resident.endEpoch();
      }

      float[] values = new float[4 * BYTES / 4];
      gpu.read(first, values);
      assertThat(Float.floatToRawIntBits(values[0])).isEqualTo(0x01010101);
      assertThat(Float.floatToRawIntBits(values[values.length - 1])).isEqualTo(0x04040404);
      assertThat(gpu.uploads()).isEqualTo(1);
    }
  }

  @Test
  void aSetThatAnEpochDidNotAskForMakesRoom() {
    HostGpu gpu = new HostGpu(Memory.Type.FLOAT);
    Raw.Picked kept = images(2);
    Raw.Picked left = images(2);
    try (gpu;
        ResidentImages resident = new ResidentImages(gpu)) {
      resident.of(left);
      resident.of(kept);
      resident.endEpoch();
      resident.of(kept);
      resident.endEpoch();
      resident.of(kept);
      assertThat(gpu.uploads()).isEqualTo(2);

      resident.of(left);
      assertThat(gpu.uploads()).isEqualTo(3);
    }
  }

  @Test
  void noSetTakesMoreThanHalfOfWhatIsLeft() {
    HostGpu gpu = new HostGpu(Memory.Type.FLOAT);
    try (gpu;
        ResidentImages resident = new ResidentImages(gpu)) {
      gpu.freeBytes(2 * 3 * BYTES);
      assertThat(resident.of(images(3)).images()).isPresent();
      assertThat(resident.of(images(4)).images()).isEmpty();
    }
  }
}
