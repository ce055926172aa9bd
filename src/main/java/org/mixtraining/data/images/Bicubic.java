package org.mixtraining.data.images;

/**
 * Scaling of square images as Pillow's {@code resize(…, BICUBIC)} and torchvision's with antialias:
 * by the cubic of a = -0.5, as wide as the reduction, so that every pixel counts; rows first, then
 * columns, in integers (Pillow's Resample.c). Graphics2D's looks at a few pixels, however many
 * there are.
 */
final class Bicubic {
  private static final int SUPPORT = 2;

  /** Bits of a weight behind the point. */
  private static final int PRECISION = 22;

  /**
   * Where the weights of a scaled pixel's sources begin, and what they are.
   *
   * @param first source pixel of each
   * @param weights of it and the following
   */
  private record Weights(int[] first, int[][] weights) {

    static Weights of(int from, int to) {
      double scale = (double) from / to;
      double wide = Math.max(1, scale);
      var first = new int[to];
      var weights = new int[to][];
      for (int i = 0; i < to; i++) {
        double centre = (i + 0.5) * scale;
        first[i] = Math.max(0, (int) (centre - SUPPORT * wide + 0.5));
        int end = Math.min(from, (int) (centre + SUPPORT * wide + 0.5));
        var own = new double[end - first[i]];
        double sum = 0;
        for (int k = 0; k < own.length; k++) {
          own[k] = cubic((first[i] + k - centre + 0.5) / wide);
          sum += own[k];
        }
        weights[i] = new int[own.length];
        for (int k = 0; k < own.length; k++) {
          weights[i][k] = (int) Math.rint(own[k] / sum * (1 << PRECISION));
        }
      }
      return new Weights(first, weights);
    }

    private static double cubic(double at) {
      double x = Math.abs(at);
      if (x >= SUPPORT) {
        return 0;
      }
      return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : ((-0.5 * x + 2.5) * x - 4) * x + 2;
    }

    /** A scaled pixel, of sources that lie {@code step} apart behind {@code at}. */
    byte pixel(int i, byte[] source, int at, int step) {
      int sum = 1 << PRECISION - 1;
      int place = at + first[i] * step;
      for (int weight : weights[i]) {
        sum += weight * (source[place] & 0xFF);
        place += step;
      }
      return (byte) Math.max(0, Math.min(255, sum >> PRECISION));
    }
  }

  private Bicubic() {}

  /**
   * Scales one channel.
   *
   * @param square uint8, [side, side]
   * @param to takes the scaled one from {@code at} on
   */
  static void scale(byte[] square, int side, byte[] to, int at, int scaled) {
    var weights = Weights.of(side, scaled);
    var rows = new byte[side * scaled];
    for (int y = 0; y < side; y++) {
      for (int x = 0; x < scaled; x++) {
        rows[y * scaled + x] = weights.pixel(x, square, y * side, 1);
      }
    }
    for (int y = 0; y < scaled; y++) {
      for (int x = 0; x < scaled; x++) {
        to[at + y * scaled + x] = weights.pixel(y, rows, x, scaled);
      }
    }
  }
}
