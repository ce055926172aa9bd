package org.mixtraining.kernels;

import static org.bytedeco.openblas.global.openblas.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas.CblasTrans;
import static org.bytedeco.openblas.global.openblas.cblas_sgemm;

/** The three matrix products of BLAS that are needed, on matrices with any stride. */
final class Sgemm {
  private Sgemm() {}

  /** c[m, n] = alpha · a[m, k] · b[k, n] + beta · c. */
  static void ab(float alpha, Mat a, Mat b, float beta, Mat c) {
    call(CblasNoTrans, CblasNoTrans, a.cols(), alpha, a, b, beta, c);
  }

  /** c[m, n] = alpha · a[m, k] · b[n, k]ᵀ. */
  static void abT(float alpha, Mat a, Mat b, Mat c) {
    call(CblasNoTrans, CblasTrans, a.cols(), alpha, a, b, 0, c);
  }

  /** c[m, n] = alpha · a[k, m]ᵀ · b[k, n]. */
  static void aTb(float alpha, Mat a, Mat b, Mat c) {
    call(CblasTrans, CblasNoTrans, a.rows(), alpha, a, b, 0, c);
  }

  private static void call(
      int transA, int transB, int k, float alpha, Mat a, Mat b, float beta, Mat c) {
    cblas_sgemm(
        CblasRowMajor,
        transA,
        transB,
        c.rows(),
        c.cols(),
        k,
        alpha,
        a.pointer(),
        a.stride(),
        b.pointer(),
        b.stride(),
        beta,
        c.pointer(),
        c.stride());
  }
}
