package org.mixtraining.data.augment;

import java.util.SplittableRandom;
import java.util.function.Consumer;

/**
 * The centre of every image, resized to the image's size; nothing about it is random.
 *
 * @param share of the image's sides, in (0, 1)
 */
record CentreCrop(double share) implements Transform {

  @Override
  public void draw(SplittableRandom random, int height, int width, Consumer<ImageOp> ops) {
    int rows = (int) Math.max(1, Math.round(share * height));
    int columns = (int) Math.max(1, Math.round(share * width));
    ops.accept(ImageOp.zoom(new Window((height - rows) / 2, (width - columns) / 2, rows, columns)));
  }
}
