package org.mixtraining.data.augment;

import java.util.Optional;
import java.util.SplittableRandom;
import org.mixtraining.config.AugmentConfig.Range;

/** A rectangle of whole pixels inside an image. */
public record Window(int top, int left, int height, int width) {
  private static final int ATTEMPTS = 10;

  /**
   * A random window inside an image of {@code height} by {@code width}: area and shape first, then
   * any place where it fits. As torchvision's RandomResizedCrop and RandomErasing draw theirs.
   *
   * @param share of the image's area, uniform up to the rounding to whole pixels
   * @param ratio width divided by height, uniform in its logarithm
   * @return nothing if ten drawn shapes do not fit
   */
  static Optional<Window> draw(
      SplittableRandom random, int height, int width, Range share, Range ratio) {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      double area = height * width * between(random, share.low(), share.high());
      double shape =
          StrictMath.exp(
              between(random, StrictMath.log(ratio.low()), StrictMath.log(ratio.high())));
      long w = Math.round(Math.sqrt(area * shape));
      long h = Math.round(Math.sqrt(area / shape));
      if (0 < h && h <= height && 0 < w && w <= width) {
        return Optional.of(
            new Window(
                random.nextInt(height - (int) h + 1),
                random.nextInt(width - (int) w + 1),
                (int) h,
                (int) w));
      }
    }
    return Optional.empty();
  }

  /** The largest window in the middle whose width divided by its height lies in {@code ratio}. */
  static Window largest(int height, int width, Range ratio) {
    double shape = Math.max(ratio.low(), Math.min(ratio.high(), (double) width / height));
    int w = (int) Math.max(1, Math.min(width, Math.round(height * shape)));
    int h = (int) Math.max(1, Math.min(height, Math.round(width / shape)));
    return new Window((height - h) / 2, (width - w) / 2, h, w);
  }

  private static double between(SplittableRandom random, double low, double high) {
    return low + (high - low) * random.nextDouble();
  }
}
