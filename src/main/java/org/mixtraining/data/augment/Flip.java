package org.mixtraining.data.augment;

import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.mixtraining.data.augment.ImageOp.Operation;

/** A horizontal flip with probability ½. */
record Flip() implements Transform {

  @Override
  public void draw(SplittableRandom random, int height, int width, Consumer<ImageOp> ops) {
    if (random.nextBoolean()) {
      ops.accept(new ImageOp(Operation.MIRROR));
    }
  }

  static void mirror(Canvas canvas) {
    byte[] pixels = canvas.pixels();
    int width = canvas.width();
    for (int start = 0; start < pixels.length; start += width) {
      for (int left = start, right = start + width - 1; left < right; left++, right--) {
        byte swapped = pixels[left];
        pixels[left] = pixels[right];
        pixels[right] = swapped;
      }
    }
  }
}
