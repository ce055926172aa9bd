package org.mixtraining.reference;

/**
 * The fixed 2-D sine-cosine position embedding of facebookresearch/mae, {@code util/pos_embed.py},
 * {@code get_2d_sincos_pos_embed} with a class token.
 */
final class SinCosPositions {

  private SinCosPositions() {}

  /**
   * Row 0 (the class token) is zero; row 1 + y·grid + x holds, in quarters of {@code dim}: sin, cos
   * of x·ω, sin, cos of y·ω, where ω[k] = 10000^(−k/(dim/4)). The original calls the first half
   * {@code emb_h}, yet it is the column's: its meshgrid puts w first.
   *
   * @param dim token width, a multiple of 4
   * @param grid patches per side
   * @return [1 + grid², dim]
   */
  static double[] table(int dim, int grid) {
    if (dim % 4 != 0) {
      throw new IllegalArgumentException("token width " + dim + " is no multiple of 4");
    }
    int quarter = dim / 4;
    double[] table = new double[(1 + grid * grid) * dim];
    for (int y = 0; y < grid; y++) {
      for (int x = 0; x < grid; x++) {
        int row = (1 + y * grid + x) * dim;
        for (int k = 0; k < quarter; k++) {
          double omega = Math.pow(10000, -(double) k / quarter);
          table[row + k] = Math.sin(x * omega);
          table[row + quarter + k] = Math.cos(x * omega);
          table[row + 2 * quarter + k] = Math.sin(y * omega);
          table[row + 3 * quarter + k] = Math.cos(y * omega);
        }
      }
    }
    return table;
  }
}
