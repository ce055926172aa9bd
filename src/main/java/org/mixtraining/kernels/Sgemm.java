package org.mixtraining.kernels;

import static org.bytedeco.dnnl.global.dnnl.dnnl_sgemm;
import static org.bytedeco.openblas.global.openblas.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas.CblasTrans;
import static org.bytedeco.openblas.global.openblas.cblas_sgemm;

import org.nd4j.nativeblas.NativeOpsHolder;

/**
 * The three matrix products of BLAS that are needed, on matrices with any stride: those of oneDNN,
 * and of OpenBLAS where they are small, as in attention.
 */
final class Sgemm {
  /** Multiply-adds from which on oneDNN is the faster one. */
  private static final long LARGE = 1 << 20;

  /** Got in a thread, it keeps oneDNN's products to that thread: OpenMP would add others. */
  private static final ThreadLocal<Boolean> ALONE = ThreadLocal.withInitial(Sgemm::alone);

  private Sgemm() {}

  /** c[m, n] = alpha · a[m, k] · b[k, n] + beta · c. */
  static void ab(float alpha, Mat a, Mat b, float beta, Mat c) {
    call(false, false, a.cols(), alpha, a, b, beta, c);
  }

  /** c[m, n] = alpha · a[m, k] · b[n, k]ᵀ. */
  static void abT(float alpha, Mat a, Mat b, Mat c) {
    call(false, true, a.cols(), alpha, a, b, 0, c);
  }

  /** c[m, n] = alpha · a[k, m]ᵀ · b[k, n]. */
  static void aTb(float alpha, Mat a, Mat b, Mat c) {
    call(true, false, a.rows(), alpha, a, b, 0, c);
  }

  private static void call(
      boolean transA, boolean transB, int k, float alpha, Mat a, Mat b, float beta, Mat c) {
    if ((long) c.rows() * c.cols() * k < LARGE) {
      openblas(transA, transB, k, alpha, a, b, beta, c);
    } else {
      onednn(transA, transB, k, alpha, a, b, beta, c);
    }
  }

  private static void openblas(
      boolean transA, boolean transB, int k, float alpha, Mat a, Mat b, float beta, Mat c) {
    cblas_sgemm(
        CblasRowMajor,
        transA ? CblasTrans : CblasNoTrans,
        transB ? CblasTrans : CblasNoTrans,
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

  /** Row-major as well. */
  private static void onednn(
      boolean transA, boolean transB, int k, float alpha, Mat a, Mat b, float beta, Mat c) {
    ALONE.get();
    int status =
        dnnl_sgemm(
            (byte) (transA ? 'T' : 'N'),
            (byte) (transB ? 'T' : 'N'),
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
    if (status != 0) {
      throw new IllegalStateException("oneDNN's sgemm returned status " + status);
    }
  }

  private static boolean alone() {
    NativeOpsHolder.getInstance().getDeviceNativeOps().setOmpNumThreads(1);
    return true;
  }
}
