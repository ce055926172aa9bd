package org.mixtraining.data;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.LongFunction;
import org.mixtraining.config.JobConfig;
import org.mixtraining.schedule.Seed;

/** Turns stored uint8 images into normalised floats, moved by each image's own {@link Move}. */
final class Pixels {
  private final float[][] tables;
  private final LongFunction<Move> moves;
  private byte[] raw = {};

  private Pixels(Normalization normalization, LongFunction<Move> moves) {
    this.tables = normalization.tables();
    this.moves = moves;
  }

  /** Images as they are. */
  static Pixels plain(Normalization normalization) {
    return moved(normalization, Move.NONE);
  }

  /** Images all moved alike. */
  static Pixels moved(Normalization normalization, Move move) {
    return new Pixels(normalization, id -> move);
  }

  /** Images moved by random numbers that belong to (seed, epoch, image id). */
  static Pixels augmented(
      Normalization normalization, JobConfig.Augment augment, long seed, int epoch) {
    return new Pixels(normalization, id -> Move.draw(Seed.AUGMENT.at(seed, epoch, id), augment));
  }

  /**
   * Where the window of a random crop lies, and whether it is then mirrored.
   *
   * @param down rows that the window lies below the image's own place; negative is above
   * @param right columns that the window lies right of the image's own place
   */
  record Move(int down, int right, Mirror mirror) {
    static final Move NONE = new Move(0, 0, Mirror.NO);

    enum Mirror {
      NO,
      YES
    }

    /** A crop after padding on all sides, every offset equally likely, then a flip every second. */
    static Move draw(SplittableRandom random, JobConfig.Augment augment) {
      int padding = augment.cropPadding();
      int down = random.nextInt(2 * padding + 1) - padding;
      int right = random.nextInt(2 * padding + 1) - padding;
      boolean heads = random.nextBoolean();
      return new Move(down, right, heads && augment.flip() ? Mirror.YES : Mirror.NO);
    }
  }

  /**
   * Writes image {@code i}, [channels, height, width], at {@code offset} of {@code out}. What a
   * crop uncovers is black before normalisation, as in torchvision's RandomCrop.
   */
  void write(ImageSet images, int i, float[] out, int offset) {
    if (raw.length != images.imageBytes()) {
      raw = new byte[images.imageBytes()];
    }
    images.read(i, raw);
    var move = moves.apply(images.id(i));
    int height = images.height();
    int width = images.width();
    for (int c = 0; c < images.channels(); c++) {
      for (int y = 0; y < height; y++) {
        int fromY = y + move.down();
        int to = offset + (c * height + y) * width;
        if (fromY < 0 || fromY >= height) {
          Arrays.fill(out, to, to + width, tables[c][0]);
        } else {
          row(raw, (c * height + fromY) * width, width, move, tables[c], out, to);
        }
      }
    }
  }

  private static void row(
      byte[] raw, int from, int width, Move move, float[] table, float[] out, int to) {
    boolean mirror = move.mirror() == Move.Mirror.YES;
    for (int x = 0; x < width; x++) {
      int fromX = move.right() + (mirror ? width - 1 - x : x);
      boolean inside = fromX >= 0 && fromX < width;
      out[to + x] = table[inside ? raw[from + fromX] & 0xFF : 0];
    }
  }
}
