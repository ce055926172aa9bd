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
   * @param found holds the algorithm, whose memory goes with it
   */
  private record Plan(
      cublasLtMatmulDescOpaque_t operation,
      cublasLtMatrixLayoutOpaque_t first,
      cublasLtMatrixLayoutOpaque_t second,
      cublasLtMatrixLayoutOpaque_t out,
      cublasLtMatmulHeuristicResult_t found) {}

  CublasLt(Precision precision, Memory workspace) {
    this.computeType =
        precision == Precision.TF32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
    this.workspace = workspace;
    Cuda.checkCublas("cublasLtCreate", cublas.cublasLtCreate(library));
  }

  void multiply(Gemm p, CUstream_st stream) {
    Shape shape =
        new Shape(p.aForm(), p.bForm(), p.d().type(), p.bias() != null, p.m(), p.n(), p.k());
    Plan plan = plans.get(shape);
    if (plan == null) {
      plan = plan(shape, type(p.a()));
      plans.put(shape, plan);
    }
    if (p.bias() != null) {
      try (LongPointer bias = new LongPointer(new long[] {p.bias().address()})) {
        set(plan.operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias, Long.BYTES);
      }
    }
    Memory added = p.c() == null ? p.d() : p.c();
    Cuda.checkCublas(
        "cublasLtMatmul " + shape,
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
  }

  private Plan plan(Shape s, int factorType) {
    int outType = s.out == Memory.Type.BF16 ? CUDA_R_16BF : CUDA_R_32F;
    cublasLtMatmulDescOpaque_t operation = operation();
    setInt(operation, CUBLASLT_MATMUL_DESC_TRANSA, transposition(s.bForm));
    setInt(operation, CUBLASLT_MATMUL_DESC_TRANSB, transposition(s.aForm));
    if (s.biased) {
      setInt(operation, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
    }
    var first = s.bForm == Form.PLAIN ? layout(factorType, s.n, s.k) : layout(factorType, s.k, s.n);
    var second =
        s.aForm == Form.PLAIN ? layout(factorType, s.k, s.m) : layout(factorType, s.m, s.k);
    var out = layout(outType, s.n, s.m);
    return new Plan(operation, first, second, out, heuristic(s, operation, first, second, out));
  }

  private cublasLtMatmulHeuristicResult_t heuristic(
      Shape shape,
      cublasLtMatmulDescOpaque_t operation,
      cublasLtMatrixLayoutOpaque_t first,
      cublasLtMatrixLayoutOpaque_t second,
      cublasLtMatrixLayoutOpaque_t out) {
    var result = new cublasLtMatmulHeuristicResult_t(1);
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
      prefer(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, workspaceBytes, Long.BYTES);
      prefer(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, reductions, Integer.BYTES);
      Cuda.checkCublas(
          "cublasLtMatmulAlgoGetHeuristic " + shape,
          cublas.cublasLtMatmulAlgoGetHeuristic(
              library, operation, first, second, out, out, preference, 1, result, found));
      cublas.cublasLtMatmulPreferenceDestroy(preference);
    }
    if (found[0] == 0) {
      throw new IllegalStateException("cuBLASLt knows no algorithm for " + shape);
    }
    return result;
  }

  private static void prefer(
      cublasLtMatmulPreferenceOpaque_t preference, int which, Pointer value, long bytes) {
    Cuda.checkCublas(
        "cublasLtMatmulPreferenceSetAttribute",
        cublas.cublasLtMatmulPreferenceSetAttribute(preference, which, value, bytes));
  }

  private cublasLtMatmulDescOpaque_t operation() {
    try (PointerPointer<Pointer> handle = new PointerPointer<>(1)) {
      Cuda.checkCublas(
          "cublasLtMatmulDescCreate",
          cublas.cublasLtMatmulDescCreate(handle, computeType, CUDA_R_32F));
      return new cublasLtMatmulDescOpaque_t(handle.get(0));
    }
  }

  private static cublasLtMatrixLayoutOpaque_t layout(int type, long rows, long cols) {
    try (PointerPointer<Pointer> handle = new PointerPointer<>(1)) {
      Cuda.checkCublas(
          "cublasLtMatrixLayoutCreate",
          cublas.cublasLtMatrixLayoutCreate(handle, type, rows, cols, rows));
      return new cublasLtMatrixLayoutOpaque_t(handle.get(0));
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
    for (Plan plan : plans.values()) {
      cublas.cublasLtMatrixLayoutDestroy(plan.first);
      cublas.cublasLtMatrixLayoutDestroy(plan.second);
      cublas.cublasLtMatrixLayoutDestroy(plan.out);
      cublas.cublasLtMatmulDescDestroy(plan.operation);
      plan.found.close();
    }
    Cuda.checkCublas("cublasLtDestroy", cublas.cublasLtDestroy(library));
    one.close();
    zero.close();
  }
}
