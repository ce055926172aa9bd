package org.mixtraining.data.augment;

import java.util.SplittableRandom;

/** Something that happens to an image at random. */
sealed interface Transform permits ResizedCrop, PaddedCrop, Flip, RandAugment, Erasing {
  /** Changes the image as {@code random} decides. */
  void apply(Canvas canvas, SplittableRandom random);
}
