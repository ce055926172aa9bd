package org.mixtraining.gpu;

import static org.bytedeco.cuda.global.cublas.CUBLASLT_EPILOGUE_BIAS;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_DESC_BIAS_POINTER;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_DESC_EPILOGUE;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_DESC_TRANSA;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_DESC_TRANSB;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE;
import static org.bytedeco.cuda.global.cublas.CUBLAS_COMPUTE_32F;
import static org.bytedeco.cuda.global.cublas.CUBLAS_COMPUTE_32F_FAST_TF32;
import static org.bytedeco.cuda.global.cublas.CUBLAS_OP_N;
import static org.bytedeco.cuda.global.cublas.CUBLAS_OP_T;
import static org.bytedeco.cuda.global.cudart.CUDA_R_16BF;
import static org.bytedeco.cuda.global.cudart.CUDA_R_32F;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.cuda.cublas.cublasLtContext;
import org.bytedeco.cuda.cublas.cublasLtMatmulDescOpaque_t;
import org.bytedeco.cuda.cublas.cublasLtMatmulHeuristicResult_t;
import org.bytedeco.cuda.cublas.cublasLtMatmulPreferenceOpaque_t;
import org.bytedeco.cuda.cublas.cublasLtMatrixLayoutOpaque_t;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.cuda.global.cublas;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.mixtraining.config.WorkersConfig.Precision;
import org.mixtraining.gpu.Gemm.Form;

/**
 * Matrix products by cuBLASLt. It takes matrices column by column, so what is row-major here is its
 * transpose there: it is asked for dᵀ = bᵀ · aᵀ.
 *
 * <p>Of its algorithms those are left out whose sums depend on which block of threads is first.
 */
final class CublasLt implements AutoCloseable {

  /** Memory that a product may work in. */
  static final long WORKSPACE_BYTES = 32L << 20;

  /** Algorithms that are asked for. */
  private static final int CANDIDATES = 16;

  /** Below this share of a device's processors, another algorithm may be the faster one. */
  private static final float IDLE_WAVES = 0.5f;

  private final cublasLtContext library = new cublasLtContext();
  private final int computeType;
  private final Memory workspace;
  private final FloatPointer one = new FloatPointer(1f);
  private final FloatPointer zero = new FloatPointer(0f);
  private final Map<Shape, Plan> plans = new HashMap<>();

  /** What a plan depends on: all but the memory. */
  private record Shape(
      Form aForm, Form bForm, Memory.Type out, boolean biased, int m, int n, int k) {}

  /**
   * @param biased whether it adds the bias
   * @param found holds the algorithms, whose memory goes with it
   * @param owned what it holds of the library
   */
  private record Plan(
      boolean biased,
      cublasLtMatmulDescOpaque_t operation,
      cublasLtMatrixLayoutOpaque_t first,
      cublasLtMatrixLayoutOpaque_t second,
      cublasLtMatrixLayoutOpaque_t out,
      cublasLtMatmulHeuristicResult_t found,
      Owned owned) {}

  CublasLt(Precision precision, Memory workspace) {
    this.computeType =
        precision == Precision.TF32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
    this.workspace = workspace;
    Cuda.checkCublas("cublasLtCreate", cublas.cublasLtCreate(library));
  }

  /** Whether it has also added the bias, if there is one: the library does not know all widths. */
  boolean multiply(Gemm p, CUstream_st stream) {
    Shape shape =
        new Shape(p.aForm(), p.bForm(), p.d().type(), p.bias() != null, p.m(), p.n(), p.k());
    Plan plan = plans.get(shape);
    if (plan == null) {
      plan = plan(shape, type(p.a()));
      plans.put(shape, plan);
    }
    if (plan.biased) {
      try (LongPointer bias = new LongPointer(new long[] {p.bias().address()})) {
        set(plan.operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias, Long.BYTES);
      }
    }
    Memory added = p.c() == null ? p.d() : p.c();
    Cuda.checkCublas(
        "cublasLtMatmul(%s)".formatted(p.label()),
        cublas.cublasLtMatmul(
            library,
            plan.operation,
            one,
            Cuda.pointer(p.b()),
            plan.first,
            Cuda.pointer(p.a()),
            plan.second,
            p.c() == null ? zero : one,
            Cuda.pointer(added),
            plan.out,
            Cuda.pointer(p.d()),
            plan.out,
            plan.found.algo(),
            Cuda.pointer(workspace),
            WORKSPACE_BYTES,
            stream));
    return plan.biased == shape.biased;
  }

  private Plan plan(Shape shape, int factorType) {
    return Owned.whole(owned -> plan(owned, shape, factorType, shape.biased))
        .or(() -> Owned.whole(owned -> plan(owned, shape, factorType, false)))
        .orElseThrow(() -> new IllegalStateException("cuBLASLt knows no algorithm for " + shape));
  }

  /** Empty if the library has no algorithm. */
  private Optional<Plan> plan(Owned owned, Shape s, int factorType, boolean biased) {
    int outType = s.out == Memory.Type.BF16 ? CUDA_R_16BF : CUDA_R_32F;
    cublasLtMatmulDescOpaque_t operation = operation(owned);
    setInt(operation, CUBLASLT_MATMUL_DESC_TRANSA, transposition(s.bForm));
    setInt(operation, CUBLASLT_MATMUL_DESC_TRANSB, transposition(s.aForm));
    if (biased) {
      setInt(operation, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
    }
    var first =
        s.bForm == Form.PLAIN
            ? layout(owned, factorType, s.n, s.k)
            : layout(owned, factorType, s.k, s.n);
    var second =
        s.aForm == Form.PLAIN
            ? layout(owned, factorType, s.k, s.m)
            : layout(owned, factorType, s.m, s.k);
    var out = layout(owned, outType, s.n, s.m);
    var found = heuristic(owned, operation, first, second, out);
    if (found.isEmpty()) {
      owned.close();
    }
    return found.map(f -> new Plan(biased, operation, first, second, out, f, owned));
  }

  /** The best algorithm by the library's own estimate, see {@link #fullest}. */
  private Optional<cublasLtMatmulHeuristicResult_t> heuristic(
      Owned owned,
      cublasLtMatmulDescOpaque_t operation,
      cublasLtMatrixLayoutOpaque_t first,
      cublasLtMatrixLayoutOpaque_t second,
      cublasLtMatrixLayoutOpaque_t out) {
    var results = new cublasLtMatmulHeuristicResult_t(CANDIDATES);
    owned.add(results::close);
    int[] found = new int[1];
    try (PointerPointer<Pointer> handle = new PointerPointer<>(1);
        LongPointer workspaceBytes = new LongPointer(new long[] {WORKSPACE_BYTES});
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

  private cublasLtMatmulDescOpaque_t operation(Owned owned) {
    try (PointerPointer<Pointer> handle = new PointerPointer<>(1)) {
      Cuda.checkCublas(
          "cublasLtMatmulDescCreate",
          cublas.cublasLtMatmulDescCreate(handle, computeType, CUDA_R_32F));
      var operation = new cublasLtMatmulDescOpaque_t(handle.get(0));
      owned.add(
          () ->
              Cuda.checkCublas(
                  "cublasLtMatmulDescDestroy", cublas.cublasLtMatmulDescDestroy(operation)));
      return operation;
    }
  }

  private static cublasLtMatrixLayoutOpaque_t layout(Owned owned, int type, long rows, long cols) {
    try (PointerPointer<Pointer> handle = new PointerPointer<>(1)) {
      Cuda.checkCublas(
          "cublasLtMatrixLayoutCreate",
          cublas.cublasLtMatrixLayoutCreate(handle, type, rows, cols, rows));
      var layout = new cublasLtMatrixLayoutOpaque_t(handle.get(0));
      owned.add(
          () ->
              Cuda.checkCublas(
                  "cublasLtMatrixLayoutDestroy", cublas.cublasLtMatrixLayoutDestroy(layout)));
      return layout;
    }
  }

  private static void setInt(cublasLtMatmulDescOpaque_t operation, int which, int value) {
    try (IntPointer pointer = new IntPointer(new int[] {value})) {
      set(operation, which, pointer, Integer.BYTES);
    }
  }

  private static void set(
      cublasLtMatmulDescOpaque_t operation, int which, Pointer value, long bytes) {
    Cuda.checkCublas(
        "cublasLtMatmulDescSetAttribute",
        cublas.cublasLtMatmulDescSetAttribute(operation, which, value, bytes));
  }

  private static int transposition(Form form) {
    return form == Form.PLAIN ? CUBLAS_OP_N : CUBLAS_OP_T;
  }

  private static int type(Memory memory) {
    return memory.type() == Memory.Type.BF16 ? CUDA_R_16BF : CUDA_R_32F;
  }

  @Override
  public void close() {
    try (Owned owned = new Owned()) {
      owned.add(() -> Cuda.checkCublas("cublasLtDestroy", cublas.cublasLtDestroy(library)));
      plans.values().forEach(plan -> owned.add(plan.owned::close));
    }
  }
}
