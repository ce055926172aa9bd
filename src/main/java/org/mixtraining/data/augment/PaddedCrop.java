package org.mixtraining.data.augment;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.mixtraining.data.augment.ImageOp.Operation;

/**
 * A crop of the image's size after padding on all sides, every offset equally likely; the padding
 * is black, as in torchvision's RandomCrop.
 */
record PaddedCrop(int padding) implements Transform {

  @Override
  public void draw(SplittableRandom random, int height, int width, Consumer<ImageOp> ops) {
    int down = random.nextInt(2 * padding + 1) - padding;
    int right = random.nextInt(2 * padding + 1) - padding;
    ops.accept(new ImageOp(Operation.SHIFT, down, right));
  }

  /**
   * Shows the window that lies {@code down} rows below and {@code right} columns right of the
   * image's own place; what it uncovers is black.
   */
  static void shift(Canvas canvas, int down, int right) {
    int width = canvas.width();
    int height = canvas.height();
    int first = Math.min(width, Math.max(0, -right));
    int last = Math.max(first, Math.min(width, width - right));
    byte[] to = canvas.next();
    for (int row = 0; row < canvas.channels() * height; row++) {
      int y = row % height + down;
      int start = row * width;
      if (y < 0 || y >= height) {
        Arrays.fill(to, start, start + width, (byte) 0);
      } else {
        Arrays.fill(to, start, start + first, (byte) 0);
        for (int x = first; x < last; x++) {
          to[start + x] = canvas.pixels()[start + down * width + x + right];
        }
        Arrays.fill(to, start + last, start + width, (byte) 0);
      }
    }
    canvas.turn();
  }
}
