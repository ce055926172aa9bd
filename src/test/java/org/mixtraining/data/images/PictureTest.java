package org.mixtraining.data.images;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

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
