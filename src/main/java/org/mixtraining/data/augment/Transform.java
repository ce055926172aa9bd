package org.mixtraining.data.augment;

import java.util.SplittableRandom;
import java.util.function.Consumer;

/** Something that happens to an image at random. */
sealed interface Transform permits ResizedCrop, PaddedCrop, Flip, RandAugment, Erasing {
  /** Says what is done to an image of this size, as {@code random} decides. */
  void draw(SplittableRandom random, int height, int width, Consumer<ImageOp> edits);

  /** Changes the image as {@code random} decides. */
  default void apply(Canvas canvas, SplittableRandom random) {
    draw(random, canvas.height(), canvas.width(), edit -> edit.apply(canvas));
  }

  /** Edits that it may draw. */
  default int most() {
    return 1;
  }
}
