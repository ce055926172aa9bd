package org.mixtraining.data.augment;

import java.util.SplittableRandom;
import java.util.function.Consumer;

/** A random transform of an image. */
sealed interface Transform permits CentreCrop, ResizedCrop, PaddedCrop, Flip, RandAugment, Erasing {
  /** Draws the operations on an image of this size. */
  void draw(SplittableRandom random, int height, int width, Consumer<ImageOp> ops);

  /** Draws the operations and applies them to the image. */
  default void apply(Canvas canvas, SplittableRandom random) {
    draw(random, canvas.height(), canvas.width(), op -> op.apply(canvas));
  }

  /** The largest number of operations that it draws. */
  default int most() {
    return 1;
  }
}
