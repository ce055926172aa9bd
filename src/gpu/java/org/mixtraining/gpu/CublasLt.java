package org.mixtraining.gpu;

import static org.bytedeco.cuda.global.cublas.CUBLASLT_EPILOGUE_BIAS;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_EPILOGUE_DEFAULT;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_EPILOGUE_DGELU_BGRAD;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_EPILOGUE_GELU_AUX_BIAS;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_DESC_BIAS_POINTER;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_DESC_EPILOGUE;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_DESC_TRANSA;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_DESC_TRANSB;
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
import org.mixtraining.gpu.Gemm.Gelu;

/**
 * Matrix products by cuBLASLt. It takes matrices column by column, so what is row-major here is its
 * transpose there: it is asked for dᵀ = bᵀ · aᵀ.
 */
final class CublasLt implements AutoCloseable {

  /** Memory that a product may work in. */
  static final long WORKSPACE_BYTES = 32L << 20;

  private final cublasLtContext library = new cublasLtContext();
  private final int computeType;
  private final Memory workspace;
  private final FloatPointer one = new FloatPointer(1f);
  private final FloatPointer zero = new FloatPointer(0f);
  private final Map<Shape, Optional<Plan>> plans = new HashMap<>();

  /** What a plan depends on: all but the memory. */
  private record Shape(
      Form aForm, Form bForm, Memory.Type out, boolean biased, Gelu gelu, int m, int n, int k) {

    static Shape of(Gemm p) {
      return new Shape(
          p.aForm(), p.bForm(), p.d().type(), p.bias() != null, p.gelu(), p.m(), p.n(), p.k());
    }

    Shape withoutBias() {
      return new Shape(aForm, bForm, out, false, gelu, m, n, k);
    }

    int epilogue() {
      return switch (gelu) {
        case NONE -> biased ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
        case FORWARD -> CUBLASLT_EPILOGUE_GELU_AUX_BIAS;
        case BACKWARD -> CUBLASLT_EPILOGUE_DGELU_BGRAD;
      };
    }
  }

  /**
   * @param biased whether it adds the bias, or with GELU leaves its gradient
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
    Plan plan =
        plan(p)
            .orElseThrow(
                () -> new IllegalStateException("cuBLASLt knows no algorithm for " + p.label()));
    if (plan.biased) {
      setAddress(plan.operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, p.bias());
    }
    if (p.pre() != null) {
      setAddress(plan.operation, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, p.pre());
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
    return plan.biased == (p.bias() != null);
  }

  /** Whether it knows an algorithm, perhaps without the bias. */
  boolean multiplies(Gemm p) {
    return plan(p).isPresent();
  }

  private Optional<Plan> plan(Gemm p) {
    return plans.computeIfAbsent(Shape.of(p), shape -> plan(shape, type(p.a())));
  }

  private Optional<Plan> plan(Shape shape, int factorType) {
    Optional<Plan> whole = Owned.whole(owned -> plan(owned, shape, factorType));
    return whole.isPresent() || shape.gelu != Gelu.NONE
        ? whole
        : Owned.whole(owned -> plan(owned, shape.withoutBias(), factorType));
  }

  /** Empty if the library has no algorithm. */
  private Optional<Plan> plan(Owned owned, Shape s, int factorType) {
    int outType = s.out == Memory.Type.BF16 ? CUDA_R_16BF : CUDA_R_32F;
    cublasLtMatmulDescOpaque_t operation = operation(owned);
    setInt(operation, CUBLASLT_MATMUL_DESC_TRANSA, transposition(s.bForm));
    setInt(operation, CUBLASLT_MATMUL_DESC_TRANSB, transposition(s.aForm));
    setInt(operation, CUBLASLT_MATMUL_DESC_EPILOGUE, s.epilogue());
    if (s.gelu != Gelu.NONE) {
      setLong(operation, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, s.n);
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
    var found = CublasLtAlgorithms.best(library, owned, operation, first, second, out);
    if (found.isEmpty()) {
      owned.close();
    }
    return found.map(f -> new Plan(s.biased, operation, first, second, out, f, owned));
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

  private static void setAddress(cublasLtMatmulDescOpaque_t operation, int which, Memory memory) {
    setLong(operation, which, memory.address());
  }

  private static void setLong(cublasLtMatmulDescOpaque_t operation, int which, long value) {
    try (LongPointer pointer = new LongPointer(new long[] {value})) {
      set(operation, which, pointer, Long.BYTES);
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
      plans.values().forEach(plan -> plan.ifPresent(p -> owned.add(p.owned::close)));
    }
  }
}
