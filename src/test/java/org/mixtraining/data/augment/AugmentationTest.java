package org.mixtraining.data.augment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mixtraining.data.augment.Canvases.HEIGHT;
import static org.mixtraining.data.augment.Canvases.WIDTH;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.mixtraining.config.AugmentConfig;
import org.mixtraining.config.AugmentConfig.Range;

class AugmentationTest {
  private static final byte[] COLOR = {10, 20, 0};
  private static final AugmentConfig.ResizedCrop NO_ZOOM =
      new AugmentConfig.ResizedCrop(new Range(1, 1), new Range(0.75, 1.33));
  private static final AugmentConfig.ResizedCrop ZOOM =
      new AugmentConfig.ResizedCrop(new Range(0.2, 1), new Range(0.75, 1.33));
  private static final AugmentConfig.RandAugment NO_OPS = new AugmentConfig.RandAugment(0, 30);
  private static final AugmentConfig.Images EVERYTHING =
      new AugmentConfig.Images(ZOOM, 2, true, new AugmentConfig.RandAugment(2, 9), 0.5);

  private static byte[] augmented(AugmentConfig.Images options, long seed) {
    Canvas canvas = Canvases.random();
    Augmentation.of(options, COLOR).apply(canvas, new SplittableRandom(seed));
    return canvas.pixels();
  }

  @Test
  void withEveryOptionOffThePictureIsItself() {
    var off = new AugmentConfig.Images(NO_ZOOM, 0, false, NO_OPS, 0);

    for (int seed = 0; seed < 20; seed++) {
      assertThat(augmented(off, seed)).isEqualTo(Canvases.random().pixels());
    }
  }

  @Test
  void eachOptionChangesPicturesByItself() {
    var options =
        new AugmentConfig.Images[] {
          new AugmentConfig.Images(ZOOM, 0, false, NO_OPS, 0),
          new AugmentConfig.Images(NO_ZOOM, 2, false, NO_OPS, 0),
          new AugmentConfig.Images(NO_ZOOM, 0, true, NO_OPS, 0),
          new AugmentConfig.Images(NO_ZOOM, 0, false, new AugmentConfig.RandAugment(1, 9), 0),
          new AugmentConfig.Images(NO_ZOOM, 0, false, NO_OPS, 1),
        };
    byte[] image = Canvases.random().pixels();
    for (AugmentConfig.Images only : options) {
      int changed = 0;
      for (int seed = 0; seed < 50; seed++) {
        changed += Arrays.equals(augmented(only, seed), image) ? 0 : 1;
      }
      assertThat(changed).isBetween(15, 50);
    }
  }

  @Test
  void equalRandomNumbersGiveEqualBits() {
    for (int seed = 0; seed < 50; seed++) {
      byte[] image = augmented(EVERYTHING, seed);

      assertThat(augmented(EVERYTHING, seed)).isEqualTo(image);
      assertThat(augmented(EVERYTHING, seed + 1)).isNotEqualTo(image);
    }
  }

  @Test
  void whatAPictureWasBeforeDoesNotShowInTheNext() {
    Augmentation augmentation = Augmentation.of(EVERYTHING, COLOR);
    Canvas canvas = Canvases.random(7);
    for (int seed = 0; seed < 50; seed++) {
      augmentation.apply(canvas, new SplittableRandom(99));
      System.arraycopy(Canvases.random().pixels(), 0, canvas.pixels(), 0, canvas.pixels().length);

      augmentation.apply(canvas, new SplittableRandom(seed));

      assertThat(canvas.pixels()).isEqualTo(augmented(EVERYTHING, seed));
    }
  }

  @Test
  void erasingPaintsOneRectangleOfTwoTo33PercentInTheMeanColor() {
    byte[] image = Canvases.random().pixels();
    for (int seed = 0; seed < 500; seed++) {
      byte[] erased = augmented(new AugmentConfig.Images(NO_ZOOM, 0, false, NO_OPS, 1), seed);
      int top = HEIGHT;
      int left = WIDTH;
      int bottom = -1;
      int right = -1;
      for (int p = 0; p < HEIGHT * WIDTH; p++) {
        if (erased[2 * HEIGHT * WIDTH + p] == 0) { // no pixel of the image is 0
          top = Math.min(top, p / WIDTH);
          bottom = Math.max(bottom, p / WIDTH);
          left = Math.min(left, p % WIDTH);
          right = Math.max(right, p % WIDTH);
        }
      }
      int height = bottom - top + 1;
      int width = right - left + 1;
      assertThat((height + 0.5) * (width + 0.5)).isGreaterThan(0.02 * HEIGHT * WIDTH);
      assertThat((height - 0.5) * (width - 0.5)).isLessThan(HEIGHT * WIDTH / 3.0);
      for (int i = 0; i < image.length; i++) {
        int x = i % WIDTH;
        int y = i / WIDTH % HEIGHT;
        boolean inside = top <= y && y <= bottom && left <= x && x <= right;
        assertThat(erased[i]).isEqualTo(inside ? COLOR[i / (HEIGHT * WIDTH)] : image[i]);
      }
    }
  }

  @Test
  void erasingHappensWithItsProbability() {
    byte[] image = Canvases.random().pixels();
    int erased = 0;
    for (int seed = 0; seed < 2000; seed++) {
      boolean same =
          Arrays.equals(
              augmented(new AugmentConfig.Images(NO_ZOOM, 0, false, NO_OPS, 0.25), seed), image);
      erased += same ? 0 : 1;
    }
    assertThat(erased).isBetween(400, 600); // 5 standard deviations
  }
}
