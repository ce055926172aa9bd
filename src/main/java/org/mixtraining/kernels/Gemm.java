package org.mixtraining.kernels;

import static org.bytedeco.openblas.global.openblas.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas.CblasTrans;
import static org.bytedeco.openblas.global.openblas.cblas_sgemm;

/**
 * The matrix products that are needed, on matrices with any stride: large ones by {@link OneDnn},
 * small ones, as in attention, and what that has no fast way for, by OpenBLAS in float32.
 *
 * @param bf16 whether large ones read their factors rounded to bfloat16
 * @param held weights that are rounded already
 */
record Gemm(boolean bf16, RoundedWeights held) {
  /** Multiply-adds from which on oneDNN is the faster of the two. */
  private static final long LARGE = 1 << 20;

  Gemm(boolean bf16) {
    this(bf16, new RoundedWeights());
  }

  /** c[m, n] = a[m, k] · b[k, n]. */
  void ab(Matrix a, Matrix b, Matrix c) {
    multiply(false, false, false, a.cols(), a, b, c);
  }

  /** c[m, n] += a[m, k] · b[k, n]. */
  void addAb(Matrix a, Matrix b, Matrix c) {
    multiply(false, false, true, a.cols(), a, b, c);
  }

  /** c[m, n] = a[m, k] · b[n, k]ᵀ. */
  void abT(Matrix a, Matrix b, Matrix c) {
    multiply(false, true, false, a.cols(), a, b, c);
  }

  /** c[m, n] = a[k, m]ᵀ · b[k, n]. */
  void aTb(Matrix a, Matrix b, Matrix c) {
    multiply(true, false, false, a.rows(), a, b, c);
  }

  /** dw[k, n] = x[m, k]ᵀ · dy[m, n] and dx[m, k] = dy[m, n] · w[k, n]ᵀ. */
  void gradients(Matrix x, Matrix w, Matrix dy, Matrix dx, Matrix dw) {
    var weight = shape(true, false, false, x.rows(), x, dy, dw);
    var input = shape(false, true, false, dy.cols(), dy, w, dx);
    if (!weight.hasAtLeast(LARGE) || !OneDnn.gradients(weight, input, x, w, dy, dx, dw, held)) {
      aTb(x, dy, dw);
      abT(dy, w, dx);
    }
  }

  private void multiply(
      boolean transA, boolean transB, boolean adds, int k, Matrix a, Matrix b, Matrix c) {
    var shape = shape(transA, transB, adds, k, a, b, c);
    if (!shape.hasAtLeast(LARGE) || !OneDnn.multiplies(shape, a, b, c, held)) {
      openblas(shape, a, b, c);
    }
  }

  private OneDnn.Shape shape(
      boolean transA, boolean transB, boolean adds, int k, Matrix a, Matrix b, Matrix c) {
    return new OneDnn.Shape(
        c.rows(), c.cols(), k, transA, transB, adds, a.stride(), b.stride(), c.stride(), bf16);
  }

  private static void openblas(OneDnn.Shape shape, Matrix a, Matrix b, Matrix c) {
    cblas_sgemm(
        CblasRowMajor,
        shape.transA() ? CblasTrans : CblasNoTrans,
        shape.transB() ? CblasTrans : CblasNoTrans,
        shape.m(),
        shape.n(),
        shape.k(),
        1,
        a.pointer(),
        shape.strideA(),
        b.pointer(),
        shape.strideB(),
        shape.adds() ? 1 : 0,
        c.pointer(),
        shape.strideC());
  }
}
