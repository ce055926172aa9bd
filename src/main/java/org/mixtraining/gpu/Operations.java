package org.mixtraining.gpu;

import static org.mixtraining.gpu.Gemm.Form.PLAIN;
import static org.mixtraining.gpu.Gemm.Form.TRANSPOSED;

import org.mixtraining.vit.Tensor;
import org.mixtraining.vit.ViT;

/**
 * The kernels and products of a step, with the shapes of their launches; tensors go by their names
 * in {@link Parameters}.
 *
 * @param slices of rows, which sums over rows are first taken of; the more, the more of a device's
 *     processors take part
 */
record Operations(Gpu gpu, Parameters parameters, int slices) {

  private static final int ROWS_OF_SLICE = 16;

  /** Operations of steps with so many rows of tokens. */
  static Operations of(Gpu gpu, Parameters parameters, long rows) {
    long slices = (rows + ROWS_OF_SLICE - 1) / ROWS_OF_SLICE;
    return new Operations(gpu, parameters, (int) Math.min(slices, Parameters.MOST_SLICES));
  }

  /** Threads of a block where each takes single values. */
  static final int THREADS = 256;

  /** Blocks of a sum's first step, and so the values of its second. */
  static final int PARTS = 256;

  static final int WARP = 32;

  /** Threads of a block that adds up a slice of rows: a multiple of the widths of ViTs by 4. */
  private static final int SLICE_THREADS = 384;

  /** Threads of a block whose warps take a row each. */
  static final int ROW_THREADS = 128;

  /** Warps of a block that adds up a slice of rows, each for itself at first. */
  private static final int NORM_WARPS = 16;

  /** What every device lets a block share. */
  private static final int SHARED_BYTES = 48 << 10;

  private static final int MOST_BLOCKS = 1 << 14;

  /** Blocks for so many values. */
  static long blocks(long values) {
    return Math.max(1, Math.min(MOST_BLOCKS, (values + THREADS - 1) / THREADS));
  }

  /** Launches a kernel whose threads share so many values between them. */
  void each(String kernel, long values, Object... arguments) {
    gpu.launch(kernel, blocks(values), THREADS, 0, arguments);
  }

  /** The same for a kernel that takes four values at a time. */
  void fours(String kernel, long values, Object... arguments) {
    each(kernel, (values + 3) / 4, arguments);
  }

  /** Copies values, as the type of {@code to} has them. */
  static void round(Gpu gpu, Memory from, Memory to) {
    long count = from.count();
    gpu.launch("round_values", blocks((count + 3) / 4), THREADS, 0, from, to, count);
  }

  /** Launches a kernel with a warp for each row. */
  void rows(String kernel, long rows, Object... arguments) {
    gpu.launch(kernel, rowBlocks(rows), ROW_THREADS, 0, arguments);
  }

  /** Blocks for so many rows, each of which a warp takes. */
  static long rowBlocks(long rows) {
    int warps = ROW_THREADS / WARP;
    return (rows + warps - 1) / warps;
  }

  /** Launches a kernel on single warps. */
  void warps(String kernel, int warps, Object... arguments) {
    gpu.launch(kernel, 1, warps * WARP, 0, arguments);
  }

  /** Launches a kernel that leaves column sums of each slice of rows. */
  private void slices(String kernel, Object... arguments) {
    gpu.launch(kernel, slices, SLICE_THREADS, 8 * Float.BYTES * SLICE_THREADS, arguments);
  }

  // --- linear maps -----------------------------------------------------------------------------

  /** y[rows, out] = x[rows, in] · weight + bias + residual; bias and residual may be null. */
  void linear(Memory x, String weight, String bias, Memory residual, Memory y, int rows) {
    gpu.multiply(product(x, weight, bias, residual, y, rows));
  }

  /** The same, to be multiplied. */
  Gemm product(Memory x, String weight, String bias, Memory residual, Memory y, int rows) {
    Tensor w = parameters.tensor(weight);
    Memory b = null;
    if (bias != null) {
      b = y.type() == Memory.Type.FLOAT ? parameters.values(bias) : parameters.rounded(bias);
    }
    Memory matrix = parameters.rounded(weight);
    String name = name(weight);
    return new Gemm(name, x, PLAIN, matrix, PLAIN, residual, b, y, rows, w.cols(), w.rows());
  }

  /** Its name, the same in all blocks: {@code fc1} for {@code encoder-0.fc1.weight}. */
  private static String name(String weight) {
    String layer = weight.substring(0, weight.lastIndexOf('.'));
    return layer.substring(layer.lastIndexOf('.') + 1);
  }

  /**
   * The weight's gradient xᵀ · dy, and dx[rows, in] = dy[rows, out] · weightᵀ unless it is null.
   */
  void linearBackward(Memory x, String weight, Memory dy, Memory dx, int rows) {
    weightGradient(x, weight, dy, rows);
    if (dx != null) {
      Tensor w = parameters.tensor(weight);
      Memory matrix = parameters.rounded(weight);
      String name = name(weight) + " by input";
      int in = w.rows();
      gpu.multiply(
          new Gemm(name, dy, PLAIN, matrix, TRANSPOSED, null, null, dx, rows, in, w.cols()));
    }
  }

  /** The weight's gradient xᵀ · dy. */
  void weightGradient(Memory x, String weight, Memory dy, int rows) {
    Tensor w = parameters.tensor(weight);
    Memory dw = parameters.gradient(weight);
    String name = name(weight) + " by weight";
    int in = w.rows();
    gpu.multiply(new Gemm(name, x, TRANSPOSED, dy, PLAIN, null, null, dw, in, w.cols(), rows));
  }

  /** The gradient of a bias: column sums of dy[rows, its size]. */
  void biasGradient(Memory dy, String bias, long rows) {
    int cols = parameters.tensor(bias).size();
    slices("column_slices", dy, parameters.slices(bias), rows, cols, parameters.vectors());
  }

  /** The same from the column sums of each image's rows, ofImages[images, its size]. */
  void biasGradientOfImages(Memory ofImages, String bias, long images) {
    int cols = parameters.tensor(bias).size();
    slices("image_slices", ofImages, parameters.slices(bias), images, cols, parameters.vectors());
  }

  /** The same of rows of one kind. */
  void biasGradient(Memory d, Memory source, Kind kind, int patches, String bias, long rows) {
    int cols = parameters.tensor(bias).size();
    Memory slices = parameters.slices(bias);
    long stride = parameters.vectors();
    slices("column_slices_of", d, source, kind.ordinal(), patches, slices, rows, cols, stride);
  }

  /** What a row of tokens is made of, in the order of {@code common.cuh}. */
  enum Kind {
    CLASS,
    PATCH,
    MASK
  }

  // --- layer norm ------------------------------------------------------------------------------

  /** y[rows, dim] and stats[rows, 2] of x; {@code name} ends before "gain" and "bias". */
  void norm(Memory x, String name, Memory y, Memory stats, long rows) {
    Memory gain = parameters.values(name + "gain");
    Memory bias = parameters.values(name + "bias");
    int dim = (int) gain.count();
    rows("layer_norm", rows, x, gain, bias, y, stats, rows, dim, ViT.EPSILON);
  }

  /** Whether a gradient is added to what is there. */
  enum Residual {
    OVERWRITE,
    ADD
  }

  /**
   * d[rows, dim] from dy, and the gradients of gain and bias.
   *
   * @param below a bias that was added to x, whose gradient is the column sums of d; null: none
   */
  void normBackward(
      Memory dy,
      Memory x,
      String name,
      Memory stats,
      Memory d,
      String below,
      Residual residual,
      long rows) {
    Memory gain = parameters.values(name + "gain");
    int dim = (int) gain.count();
    int warpBytes = 3 * dim * Float.BYTES;
    int warps = Math.max(1, Math.min(NORM_WARPS, SHARED_BYTES / warpBytes));
    gpu.launch(
        "layer_norm_backward",
        slices,
        warps * WARP,
        warps * warpBytes,
        dy,
        x,
        stats,
        gain,
        d,
        parameters.slices(name + "gain"),
        parameters.slices(name + "bias"),
        below == null ? Memory.NONE : parameters.slices(below),
        rows,
        dim,
        residual.ordinal(),
        parameters.vectors());
  }

  // --- gelu ------------------------------------------------------------------------------------

  /** y[rows, hidden] = gelu(h + bias). */
  void gelu(Memory h, String bias, Memory y, long rows) {
    int cols = parameters.tensor(bias).size();
    fours("bias_gelu", rows * cols, h, parameters.values(bias), y, rows, cols);
  }

  /** Takes d[rows, hidden] from after GELU to before it, and the gradient of the bias. */
  void geluBackward(Memory h, String bias, Memory d, long rows) {
    int cols = parameters.tensor(bias).size();
    slices(
        "bias_gelu_backward",
        h,
        parameters.values(bias),
        d,
        parameters.slices(bias),
        rows,
        cols,
        parameters.vectors());
  }

  // --- sums ------------------------------------------------------------------------------------

  /** parts[PARTS], whose sum is that of x[n]. */
  void partialSums(Memory x, Memory parts, long n) {
    gpu.launch("partial_sums", PARTS, THREADS, warpDoubles(), x, parts, n);
  }

  /** The same of the squares of the gradient. */
  void gradientSquares(Memory blockSettings, Memory parts) {
    gpu.launch(
        "gradient_squares",
        PARTS,
        THREADS,
        warpDoubles(),
        parameters.gradient(),
        parameters.tensorOfChunk(),
        parameters.rules(),
        blockSettings,
        parts,
        parameters.chunks());
  }

  private static int warpDoubles() {
    return THREADS / WARP * Double.BYTES;
  }
}
