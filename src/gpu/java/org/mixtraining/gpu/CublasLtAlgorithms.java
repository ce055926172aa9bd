package org.mixtraining.gpu;

import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE;

import java.util.Optional;
import org.bytedeco.cuda.cublas.cublasLtContext;
import org.bytedeco.cuda.cublas.cublasLtMatmulDescOpaque_t;
import org.bytedeco.cuda.cublas.cublasLtMatmulHeuristicResult_t;
import org.bytedeco.cuda.cublas.cublasLtMatmulPreferenceOpaque_t;
import org.bytedeco.cuda.cublas.cublasLtMatrixLayoutOpaque_t;
import org.bytedeco.cuda.global.cublas;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * The choice among cuBLASLt's algorithms for a product. Those are left out whose sums depend on
 * which block of threads is first.
 */
final class CublasLtAlgorithms {

  /** Algorithms that are asked for. */
  private static final int CANDIDATES = 16;

  /** Below this share of a device's processors, another algorithm may be the faster one. */
  private static final float IDLE_WAVES = 0.5f;

  private CublasLtAlgorithms() {}

  /**
   * The best algorithm for a product by the library's own estimate, see {@link #fullest}; empty if
   * there is none.
   *
   * @param owned gets what holds the algorithm
   */
  static Optional<cublasLtMatmulHeuristicResult_t> best(
      cublasLtContext library,
      Owned owned,
      cublasLtMatmulDescOpaque_t operation,
      cublasLtMatrixLayoutOpaque_t first,
      cublasLtMatrixLayoutOpaque_t second,
      cublasLtMatrixLayoutOpaque_t out) {
    var results = new cublasLtMatmulHeuristicResult_t(CANDIDATES);
    owned.add(results::close);
    int[] found = new int[1];
    try (PointerPointer<Pointer> handle = new PointerPointer<>(1);
        LongPointer workspaceBytes = new LongPointer(new long[] {CublasLt.WORKSPACE_BYTES});
        IntPointer reductions =
            new IntPointer(
                new int[] {
                  CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE | CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE
                })) {
      Cuda.checkCublas(
          "cublasLtMatmulPreferenceCreate", cublas.cublasLtMatmulPreferenceCreate(handle));
      var preference = new cublasLtMatmulPreferenceOpaque_t(handle.get(0));
      Owned.Thing destroyed =
          () ->
              Cuda.checkCublas(
                  "cublasLtMatmulPreferenceDestroy",
                  cublas.cublasLtMatmulPreferenceDestroy(preference));
      try (destroyed) {
        prefer(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, workspaceBytes, Long.BYTES);
        prefer(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, reductions, Integer.BYTES);
        int answer =
            cublas.cublasLtMatmulAlgoGetHeuristic(
                library,
                operation,
                first,
                second,
                out,
                out,
                preference,
                CANDIDATES,
                results,
                found);
        if (answer != cublas.CUBLAS_STATUS_NOT_SUPPORTED) {
          Cuda.checkCublas("cublasLtMatmulAlgoGetHeuristic", answer);
        }
      }
    }
    return found[0] == 0
        ? Optional.empty()
        : Optional.of(results.getPointer(fullest(results, found[0])));
  }

  /**
   * The first of the algorithms, which the library thinks the fastest, unless it leaves most of the
   * device idle: then the first of those that use most of it. A weight's gradient has few tiles and
   * a long sum, which such an algorithm cuts. No times are taken, so that bits repeat.
   */
  private static int fullest(cublasLtMatmulHeuristicResult_t results, int found) {
    int best = 0;
    for (int i = 1; i < found && waves(results, best) < IDLE_WAVES; i++) {
      if (waves(results, i) > waves(results, best)) {
        best = i;
      }
    }
    return best;
  }

  /** How often an algorithm's blocks of threads fill the device; -1: it cannot be used. */
  private static float waves(cublasLtMatmulHeuristicResult_t results, int which) {
    var result = results.getPointer(which);
    return result.state() == cublas.CUBLAS_STATUS_SUCCESS ? result.wavesCount() : -1;
  }

  private static void prefer(
      cublasLtMatmulPreferenceOpaque_t preference, int which, Pointer value, long bytes) {
    Cuda.checkCublas(
        "cublasLtMatmulPreferenceSetAttribute",
        cublas.cublasLtMatmulPreferenceSetAttribute(preference, which, value, bytes));
  }
}
