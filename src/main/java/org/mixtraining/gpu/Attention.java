package org.mixtraining.gpu;

import java.util.Set;

/**
 * Launch configuration of attention over sequences of one length, a block of threads for each image
 * and head: on tensor cores ({@code tensor_attention.cuh}) where they know the type and the width
 * of a head, else by {@code attention.cuh}.
 *
 * @param kernel whose name the backward pass ends with {@code _backward}
 * @param sharedBytes of a block in the forward pass
 * @param backwardSharedBytes of a block in the backward pass
 */
record Attention(String kernel, int threads, int sharedBytes, int backwardSharedBytes) {

  private static final Set<Integer> TENSOR_WIDTHS = Set.of(16, 32, 64);
  private static final int TILE = 16; // queries or keys that a warp takes at once
  private static final int MOST_WARPS = 8;

  /**
   * The launch for a type of matrices.
   *
   * @param width of a head
   */
  static Attention of(Memory.Type matrixType, int tokens, int width) {
    return matrixType == Memory.Type.BF16 && TENSOR_WIDTHS.contains(width)
        ? onTensorCores(tokens, width)
        : plain(tokens, width);
  }

  private static Attention onTensorCores(int tokens, int width) {
    int tiles = (tokens + TILE - 1) / TILE;
    int turns = (tiles + MOST_WARPS - 1) / MOST_WARPS;
    int warps = (tiles + turns - 1) / turns; // no more than needed for so many turns
    int row = (width / 2 + 4) * Integer.BYTES;
    int bytes = 2 * tiles * TILE * row;
    return new Attention(
        "tensor_attention", warps * Operations.WARP, bytes, bytes + 2 * tiles * TILE * Float.BYTES);
  }

  private static Attention plain(int tokens, int width) {
    int warps = tokens <= Operations.WARP ? MOST_WARPS / 2 : MOST_WARPS;
    int held = 2 * tokens * (width + 1);
    int each = width + tokens;
    return new Attention(
        "attention",
        warps * Operations.WARP,
        Float.BYTES * (held + warps * each),
        Float.BYTES * (held + tokens + warps * 2 * each));
  }
}
