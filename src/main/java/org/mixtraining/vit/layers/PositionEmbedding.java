package org.mixtraining.vit.layers;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Fixed two-dimensional sine-cosine position embeddings, as {@code get_2d_sincos_pos_embed} of
 * facebookresearch/mae: the first half of a token's width encodes its column, the second its row;
 * the class token's embedding is zero.
 */
public final class PositionEmbedding {

  private record Shape(int grid, int dim) {}

  private static final Map<Shape, float[]> KNOWN = new ConcurrentHashMap<>();

  private PositionEmbedding() {}

  /** [1 + grid · grid, dim], row-major, class token first; not to be changed. */
  public static float[] of(int grid, int dim) {
    return KNOWN.computeIfAbsent(new Shape(grid, dim), shape -> compute(shape.grid(), shape.dim()));
  }

  private static float[] compute(int grid, int dim) {
    float[] embedding = new float[(1 + grid * grid) * dim];
    for (int row = 0; row < grid; row++) {
      for (int column = 0; column < grid; column++) {
        int at = (1 + row * grid + column) * dim;
        encode(column, embedding, at, dim / 2);
        encode(row, embedding, at + dim / 2, dim / 2);
      }
    }
    return embedding;
  }

  /** {@code width} values: sines, then cosines, of the position at falling frequencies. */
  private static void encode(int position, float[] into, int at, int width) {
    int frequencies = width / 2;
    for (int i = 0; i < frequencies; i++) {
      double angle = position / Math.pow(10000, (double) i / frequencies);
      into[at + i] = (float) Math.sin(angle);
      into[at + frequencies + i] = (float) Math.cos(angle);
    }
  }
}
