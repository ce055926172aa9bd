package org.mixtraining.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.JobConfig.Pooling;
import org.mixtraining.data.ImageSet;
import org.mixtraining.data.Minibatch;
import org.mixtraining.data.Minibatches;
import org.mixtraining.data.Normalization;
import org.mixtraining.data.Share;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Seed;
import org.mixtraining.vit.Batch;
import org.mixtraining.vit.ViT;

/** Images and masks that the device prepares are those of the CPU, to the bit. */
class DeviceImagesTest {
  private static final long RUN = -77;
  private static final int EPOCH = 5;
  private static final int SIZE = 12;
  private static final int IMAGES = 40;

  @ParameterizedTest
  @CsvSource({"0, false", "0, true", "4, false", "4, true", "3, true"})
  void croppedMirroredAndNormalised(int padding, boolean flip) {
    ImageSet images = images();
    Normalization normalization =
        new Normalization(List.of(0.5, 0.4, 0.3), List.of(0.2, 0.25, 0.3));
    JobConfig config =
        JobConfig.load(
            Optional.empty(),
            List.of("augment.sl.crop-padding=" + padding, "augment.sl.flip=" + flip));
    Minibatch expected =
        Minibatches.training(
                Share.all(images, normalization),
                config.augment().sl(),
                RUN,
                EPOCH,
                IMAGES,
                1,
                Minibatches.Labels.ALL)
            .next();

    assertThat(prepared(images, normalization, expected.ids(), padding, flip))
        .isEqualTo(expected.pixels());
  }

  private static float[] prepared(
      ImageSet images, Normalization normalization, long[] ids, int padding, boolean flip) {
    float[] tables = new float[3 * 256];
    for (int c = 0; c < 3; c++) {
      for (int value = 0; value < 256; value++) {
        double mean = normalization.mean().get(c);
        tables[c * 256 + value] = (float) ((value / 255.0 - mean) / normalization.std().get(c));
      }
    }
    Gpu gpu = TestGpu.open(Memory.Type.FLOAT);
    Memory store = gpu.allocate(Memory.Type.BYTE, (long) IMAGES * images.imageBytes());
    gpu.upload(store, images.buffers().get(0));
    Memory places = gpu.allocate(Memory.Type.INT, IMAGES);
    gpu.write(places, LongStream.of(ids).mapToInt(id -> (int) (id - 1000) / 7).toArray());
    Memory table = gpu.allocate(Memory.Type.FLOAT, tables.length);
    gpu.write(table, tables);
    Memory pixels = gpu.allocate(Memory.Type.FLOAT, store.count());
    gpu.launch(
        "prepare_images",
        IMAGES,
        64,
        0,
        store,
        places,
        ids(gpu, ids),
        table,
        pixels,
        3,
        SIZE,
        padding,
        flip ? 1 : 0,
        Seed.AUGMENT.ordinal(),
        RUN,
        EPOCH);
    float[] values = new float[(int) store.count()];
    gpu.read(pixels, values);
    return values;
  }

  @ParameterizedTest
  @CsvSource({"0.75", "0.5", "0.1"})
  void visiblePatchesAreThoseOfTheSeed(double ratio) {
    ViT vit = new ViT(SIZE, 3, 2, 12, 1, 3, 12, 1, 3, 5, Pooling.MEAN, ratio, true);
    long[] ids = LongStream.range(0, IMAGES).map(i -> i * i * 31).toArray();
    var batch =
        Batch.training(
            vit, Objective.SSL, new float[IMAGES * 3 * SIZE * SIZE], ids, null, RUN, EPOCH);
    float[] expected = batch.getFeaturesMaskArray(0).dup().data().asFloat();

    Gpu gpu = TestGpu.open(Memory.Type.FLOAT);
    Memory mask = gpu.allocate(Memory.Type.FLOAT, expected.length);
    gpu.launch(
        "sample_masks",
        2,
        32,
        32 * Short.BYTES * vit.patches(),
        ids(gpu, ids),
        mask,
        IMAGES,
        vit.patches(),
        vit.visiblePatches(),
        Seed.MASK.ordinal(),
        RUN,
        EPOCH);
    float[] actual = new float[expected.length];
    gpu.read(mask, actual);
    assertThat(actual).isEqualTo(expected);
  }

  private static Memory ids(Gpu gpu, long[] ids) {
    Memory memory = gpu.allocate(Memory.Type.INT, 2L * ids.length);
    gpu.write(
        memory,
        IntStream.range(0, 2 * ids.length).map(i -> (int) (ids[i / 2] >>> i % 2 * 32)).toArray());
    return memory;
  }

  private static ImageSet images() {
    SplittableRandom random = new SplittableRandom(2);
    byte[][] pixels = new byte[IMAGES][3 * SIZE * SIZE];
    Arrays.stream(pixels).forEach(random::nextBytes);
    return ImageSet.of(
        LongStream.range(0, IMAGES).map(i -> 1000 + 7 * i).toArray(),
        new int[IMAGES],
        new double[IMAGES],
        pixels,
        3,
        SIZE,
        SIZE);
  }
}
