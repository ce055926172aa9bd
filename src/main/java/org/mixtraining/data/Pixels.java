package org.mixtraining.data;

import java.util.SplittableRandom;
import org.mixtraining.config.AugmentConfig;
import org.mixtraining.data.augment.Augmentation;
import org.mixtraining.data.augment.Canvas;
import org.mixtraining.data.augment.ImageOp;
import org.mixtraining.schedule.Seed;

/**
 * Conversion of stored uint8 images to normalised floats, with augmentation by random numbers that
 * depend on (seed, epoch, image id).
 */
record Pixels(float[][] tables, Augmentation augmentation, long seed, int epoch) {

  /**
   * Images as they are.
   *
   * @param crop share of their side that is seen, of the centre
   */
  static Pixels plain(Normalization normalization, double crop) {
    return new Pixels(normalization.tables(), Augmentation.centre(crop), 0, 0);
  }

  /** Images as an epoch of training sees them. */
  static Pixels augmented(
      Normalization normalization, AugmentConfig.Images options, long seed, int epoch) {
    var augmentation = Augmentation.of(options, normalization.meanColor());
    return new Pixels(normalization.tables(), augmentation, seed, epoch);
  }

  /** Length of an image's encoded operations: that of the longest possible sequence. */
  int opValues() {
    return ImageOp.VALUES * augmentation.most();
  }

  /** Writes the encoded operations of image {@code i}, {@link #opValues} numbers, padded with 0. */
  void writeOps(ImageSet images, int i, double[] out, int offset) {
    int at = offset;
    for (ImageOp op : augmentation.draw(random(images, i), images.height(), images.width())) {
      op.write(out, at);
      at += ImageOp.VALUES;
    }
  }

  private SplittableRandom random(ImageSet images, int i) {
    return Seed.AUGMENT.at(seed, epoch, images.id(i));
  }

  /** Writes image {@code i}, [channels, height, width], at {@code offset} of {@code out}. */
  void write(ImageSet images, int i, float[] out, int offset) {
    var canvas = new Canvas(images.channels(), images.height(), images.width());
    images.read(i, canvas.pixels());
    augmentation.apply(canvas, random(images, i));
    byte[] pixels = canvas.pixels();
    int area = images.height() * images.width();
    for (int p = 0; p < pixels.length; p++) {
      out[offset + p] = tables[p / area][pixels[p] & 0xFF];
    }
  }
}
