package org.mixtraining.data.augment;

import java.util.SplittableRandom;

/** Canvases for tests. */
final class Canvases {
  static final int CHANNELS = 3;
  static final int HEIGHT = 24;
  static final int WIDTH = 20;

  /** Random pixels above 0, so that padding can be told from them. */
  static Canvas random(long seed) {
    Canvas canvas = new Canvas(CHANNELS, HEIGHT, WIDTH);
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < canvas.pixels().length; i++) {
      canvas.pixels()[i] = (byte) random.nextInt(1, 256);
    }
    return canvas;
  }

  static Canvas random() {
    return random(1);
  }

  /** Does to an image what an operation of RandAugment does with this strength. */
  static void apply(RandAugment.Op op, Canvas canvas, double strength) {
    op.operation(strength, canvas.height(), canvas.width()).ifPresent(drawn -> drawn.apply(canvas));
  }

  private Canvases() {}
}
