package org.mixtraining.gpu;

import java.util.Set;
import org.mixtraining.vit.layers.Sequences;

/**
 * Attention over sequences of one length, a block of threads for each image and head: on tensor
 * cores ({@code tensor_attention.cuh}) where they know the type and the width of a head, else by
 * {@code attention.cuh}.
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

  /** out[images · tokens, dim] of one sequence an image; logSums[images · heads · tokens]. */
  static void forward(
      Gpu gpu, Memory qkv, Memory out, Memory logSums, Sequences s, int heads, int dim) {
    int width = dim / heads;
    Attention launch = of(gpu.matrixType(), s.tokens(), width);
    gpu.launch(
        launch.kernel,
        (long) s.images() * heads,
        launch.threads,
        launch.sharedBytes,
        part(qkv, s, 3 * dim),
        part(out, s, dim),
        part(logSums, s, heads),
        s.tokens(),
        heads,
        width);
  }

  /**
   * dQkv from dOut, and from what {@link #forward} has left.
   *
   * @param sums [images, 3 · dim], gets the sums of dQkv over the tokens of each image
   */
  static void backward(
      Gpu gpu,
      Memory qkv,
      Memory out,
      Memory logSums,
      Memory dOut,
      Memory dQkv,
      Memory sums,
      Sequences s,
      int heads,
      int dim) {
    int width = dim / heads;
    Attention launch = of(gpu.matrixType(), s.tokens(), width);
    gpu.launch(
        launch.kernel + "_backward",
        (long) s.images() * heads,
        launch.threads,
        launch.backwardSharedBytes,
        part(qkv, s, 3 * dim),
        part(out, s, dim),
        part(logSums, s, heads),
        part(dOut, s, dim),
        part(dQkv, s, 3 * dim),
        sums,
        s.tokens(),
        heads,
        width);
  }

  /** The rows of sequences, so many values wide. */
  private static Memory part(Memory all, Sequences s, int width) {
    return all.from((long) s.firstRow() * width).first((long) s.rows() * width);
  }

  private static Attention onTensorCores(int tokens, int width) {
    int tiles = (tokens + TILE - 1) / TILE;
    int turns = (tiles + MOST_WARPS - 1) / MOST_WARPS;
    int warps = (tiles + turns - 1) / turns; // no more than needed for so many turns
    int row = (width / 2 + 4) * Integer.BYTES;
    int bytes = 2 * tiles * TILE * row;
    int ofQueries = 2 * tiles * TILE * Float.BYTES;
    int values = warps * TILE * row;
    return new Attention(
        "tensor_attention", warps * Operations.WARP, bytes, bytes + ofQueries + values);
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
