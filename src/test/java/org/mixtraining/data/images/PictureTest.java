package org.mixtraining.data.images;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PictureTest {
  private static Picture picture(int channels, int height, int width, int... samples) {
    var pixels = new byte[samples.length];
    for (int i = 0; i < samples.length; i++) {
      pixels[i] = (byte) samples[i];
    }
    return new Picture(channels, height, width, pixels);
  }

  @Test
  void aPictureOfTheRightSizeIsLeftAlone() {
    var picture = picture(1, 2, 2, 1, 2, 3, 4);
    assertThat(picture.scaled(2)).isSameAs(picture);
  }

  @Test
  void theMiddleOfALongPictureIsTaken() {
    var wide = picture(1, 1, 5, 10, 20, 30, 40, 50).scaled(1);
    assertThat(wide.pixels()).containsExactly(30);
    var high = picture(1, 4, 2, 1, 1, 2, 3, 4, 5, 1, 1).scaled(2);
    assertThat(high.pixels()).containsExactly(2, 3, 4, 5);
  }

  @Test
  void everyPixelCountsInAReduction() {
    var samples = new int[3 * 64];
    for (int i = 0; i < samples.length; i++) {
      int x = i % 8;
      samples[i] = i < 64 ? 200 * (x % 2) : i < 128 ? 16 * x : 77;
    }
    var half = picture(3, 8, 8, samples).scaled(2);
    assertThat(half.pixels()).hasSize(12);
    for (int i = 0; i < 4; i++) {
      assertThat(half.pixels()[i] & 0xFF).as("fine stripes blur").isBetween(90, 110);
      assertThat(half.pixels()[8 + i]).as("an even area stays").isEqualTo((byte) 77);
    }
    assertThat(half.pixels()[4]).as("dark stays left").isLessThan(half.pixels()[5]);
  }

  /**
   * Pillow's {@code resize(…, BICUBIC)}, and torchvision's with antialias, in double precision: the
   * cubic of a = -0.5, as wide as the reduction, of the pixels within the image alone.
   */
  private static double[] bicubic(double[] row, int to) {
    double reduction = Math.max(1, (double) row.length / to);
    double[] resized = new double[to];
    for (int i = 0; i < to; i++) {
      double centre = (i + 0.5) * row.length / to;
      double weights = 0;
      for (int j = 0; j < row.length; j++) {
        double x = Math.abs((j + 0.5 - centre) / reduction);
        double weight =
            x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
        resized[i] += weight * row[j];
        weights += weight;
      }
      resized[i] /= weights;
    }
    return resized;
  }

  /** Pillow rounds to bytes after the rows, too. */
  private static double[] bytes(double[] values) {
    return DoubleStream.of(values).map(v -> Math.max(0, Math.min(255, Math.rint(v)))).toArray();
  }

  @ParameterizedTest
  @CsvSource({"40, 8, 1", "40, 17, 1", "12, 30, 1", "40, 14, 0.875", "16, 14, 0.875"})
  void scalingIsPillowsBicubic(int size, int side, double crop) {
    var random = new SplittableRandom(7);
    int[] samples = random.ints(size * size, 0, 256).toArray();
    int square = (int) Math.round(crop * size);
    int from = (size - square) / 2;
    var rows = new double[square][];
    for (int y = 0; y < square; y++) {
      var row = new double[square];
      for (int x = 0; x < square; x++) {
        row[x] = samples[(from + y) * size + from + x];
      }
      rows[y] = bytes(bicubic(row, side));
    }

    var scaled = picture(1, size, size, samples).scaled(side, crop);

    for (int x = 0; x < side; x++) {
      var column = new double[square];
      for (int y = 0; y < square; y++) {
        column[y] = rows[y][x];
      }
      var expected = bytes(bicubic(column, side));
      for (int y = 0; y < side; y++) {
        assertThat((double) (scaled.pixels()[y * side + x] & 0xFF))
            .as("%s, %s", x, y)
            .isCloseTo(expected[y], within(1.0));
      }
    }
  }

  @Test
  void greyStaysGreyAndAsBright() {
    var pixels = new byte[12 * 12];
    Arrays.fill(pixels, (byte) 77);
    for (int side : new int[] {1, 5, 28}) {
      var scaled = new Picture(1, 12, 12, pixels).scaled(side);
      assertThat(scaled.channels()).isEqualTo(1);
      assertThat(scaled.pixels()).hasSize(side * side).containsOnly((byte) 77);
    }
  }
}
