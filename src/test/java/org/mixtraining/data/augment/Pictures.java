package org.mixtraining.data.augment;

import java.util.SplittableRandom;

/** Pictures for tests. */
final class Pictures {
  static final int CHANNELS = 3;
  static final int HEIGHT = 24;
  static final int WIDTH = 20;

  /** Random pixels above 0, so that padding can be told from them. */
  static Picture random(long seed) {
    Picture picture = new Picture(CHANNELS, HEIGHT, WIDTH);
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < picture.pixels().length; i++) {
      picture.pixels()[i] = (byte) random.nextInt(1, 256);
    }
    return picture;
  }

  static Picture random() {
    return random(1);
  }

  private Pictures() {}
}
