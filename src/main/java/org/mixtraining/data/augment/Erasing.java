package org.mixtraining.data.augment;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.mixtraining.config.AugmentConfig.Range;

/**
 * Random erasing (Zhong et al., arXiv 1708.04896): a rectangle is painted over with one colour.
 *
 * @param probability of an image to be painted on
 * @param color uint8 [channels]
 */
record Erasing(double probability, byte[] color) implements Transform {
  /** Of the image's area. */
  static final Range SHARE = new Range(0.02, 1 / 3.0);

  private static final Range RATIO = new Range(0.3, 1 / 0.3);

  @Override
  public void draw(SplittableRandom random, int height, int width, Consumer<ImageOp> ops) {
    if (random.nextDouble() < probability) {
      Window.draw(random, height, width, SHARE, RATIO)
          .ifPresent(window -> ops.accept(ImageOp.erase(window, color)));
    }
  }

  /**
   * Paints over a window; each channel's value is a byte of {@code color}, the first the lowest.
   */
  static void paint(Canvas canvas, Window window, long color) {
    for (int c = 0; c < canvas.channels(); c++) {
      for (int y = window.top(); y < window.top() + window.height(); y++) {
        int from = c * canvas.area() + y * canvas.width() + window.left();
        Arrays.fill(canvas.pixels(), from, from + window.width(), (byte) (color >> 8 * c));
      }
    }
  }
}
