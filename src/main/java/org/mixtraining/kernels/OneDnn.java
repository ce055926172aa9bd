package org.mixtraining.kernels;

import static org.bytedeco.dnnl.memory.data_type.bf16;
import static org.bytedeco.dnnl.memory.data_type.f32;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.mixtraining.config.Causes;
import org.mixtraining.config.WorkersConfig.Precision;
import org.nd4j.nativeblas.NativeOpsHolder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Matrix products by the matmul primitive of oneDNN, a thread's own. Not by its sgemm, which is as
 * fast: that one may point the stack register at memory of the heap, and a signal's handler, such
 * as that of a JVM's profiler, then writes over what lies there.
 *
 * <p>A product in bfloat16 rounds its factors into memory of the thread, and sums in float32.
 */
final class OneDnn {
  private static final Logger LOG = LoggerFactory.getLogger(OneDnn.class);

  /** The implementation that is faster than BLAS; it needs AVX2. The others may call sgemm. */
  private static final String FAST = "brg_matmul";

  private static final boolean PRESENT = present();
  private static final ThreadLocal<OneDnn> OF_THREAD = ThreadLocal.withInitial(OneDnn::new);

  private final engine cpu = new engine(engine.kind.cpu, 0);
  private final stream stream = new stream(cpu);
  private final Map<Shape, Optional<Product>> products = new HashMap<>();
  private final Map<Integer, Rounding> roundings = new HashMap<>();
  private final Rounded first = new Rounded();
  private final Rounded second = new Rounded();

  private OneDnn() {
    // A primitive is cut for as many OpenMP threads as the one that makes it may have.
    NativeOpsHolder.getInstance().getDeviceNativeOps().setOmpNumThreads(1);
  }

  /**
   * The product that a primitive computes: op(a)[m, k] · op(b)[k, n], alone or added to c[m, n].
   */
  record Shape(
      int m,
      int n,
      int k,
      boolean transA,
      boolean transB,
      boolean adds,
      int strideA,
      int strideB,
      int strideC,
      boolean bf16) {

    boolean hasAtLeast(long multiplyAdds) {
      return (long) m * n * k >= multiplyAdds;
    }
  }

  /**
   * Computes the product if oneDNN has a fast implementation for it; otherwise returns false and
   * leaves c unchanged.
   *
   * @param held what is rounded already
   */
  static boolean multiplies(Shape shape, Matrix a, Matrix b, Matrix c, RoundedWeights held) {
    if (!PRESENT) {
      return false;
    }
    OneDnn own = OF_THREAD.get();
    Optional<Product> product = own.product(shape);
    product.ifPresent(
        p -> own.run(p, own.read(p.a, a, own.first, held), own.read(p.b, b, own.second, held), c));
    return product.isPresent();
  }

  /** {@link Gemm#gradients} in the same way; dy is rounded once for both. */
  static boolean gradients(
      Shape weight,
      Shape input,
      Matrix x,
      Matrix w,
      Matrix dy,
      Matrix dx,
      Matrix dw,
      RoundedWeights held) {
    if (!PRESENT) {
      return false;
    }
    OneDnn own = OF_THREAD.get();
    Optional<Product> ofWeight = own.product(weight);
    Optional<Product> ofInput = own.product(input);
    if (ofWeight.isEmpty() || ofInput.isEmpty()) {
      return false;
    }
    Pointer read = own.read(ofWeight.get().b, dy, own.second, held);
    own.run(ofWeight.get(), own.read(ofWeight.get().a, x, own.first, held), read, dw);
    own.run(ofInput.get(), read, own.read(ofInput.get().b, w, own.first, held), dx);
    return true;
  }

  private void run(Product product, Pointer a, Pointer b, Matrix c) {
    product.a.read.set_data_handle(a);
    product.b.read.set_data_handle(b);
    product.c.set_data_handle(c.pointer());
    product.primitive.execute(stream, product.matrices);
  }

  /** A factor as a product reads it: as it is, or rounded, already or now. */
  private Pointer read(Factor factor, Matrix matrix, Rounded into, RoundedWeights held) {
    if (factor.rounding.isEmpty()) {
      return matrix.pointer();
    }
    return held.of(matrix)
        .orElseGet(
            () -> {
              Pointer rounded = into.ofBytes(factor.bytes);
              factor.given.set_data_handle(matrix.pointer());
              factor.read.set_data_handle(rounded);
              factor.rounding.get().execute(stream, factor.given, factor.read);
              return rounded;
            });
  }

  /** Rounds [1, n] values to bfloat16. */
  static void round(Matrix values, Pointer into) {
    OneDnn own = OF_THREAD.get();
    Rounding rounding = own.roundings.computeIfAbsent(values.cols(), own::rounding);
    rounding.from.set_data_handle(values.pointer());
    rounding.to.set_data_handle(into);
    rounding.reorder.execute(own.stream, rounding.from, rounding.to);
  }

  private Rounding rounding(int values) {
    try (memory.desc given = desc(1, values, false, values, f32);
        memory.desc rounded = desc(1, values, false, values, bf16)) {
      memory from = of(given);
      memory to = of(rounded);
      return new Rounding(from, to, new reorder(from, to));
    }
  }

  private Optional<Product> product(Shape shape) {
    Optional<Product> known = products.get(shape);
    if (known == null) {
      known = make(shape);
      products.put(shape, known);
    }
    return known;
  }

  private Optional<Product> make(Shape s) {
    try (memory.desc given = desc(s.m, s.k, s.transA, s.strideA, f32);
        memory.desc other = desc(s.k, s.n, s.transB, s.strideB, f32);
        memory.desc a = s.bf16 ? desc(s.m, s.k, s.transA, s.transA ? s.m : s.k, bf16) : given;
        memory.desc b = s.bf16 ? desc(s.k, s.n, s.transB, s.transB ? s.k : s.n, bf16) : other;
        memory.desc c = desc(s.m, s.n, false, s.strideC, f32);
        post_ops after = new post_ops();
        primitive_attr attributes = new primitive_attr()) {
      if (s.adds) {
        after.append_sum();
        attributes.set_post_ops(after);
      }
      try (var description = new matmul.primitive_desc(cpu, a, b, c, attributes, true)) {
        return fast(description)
            .map(
                instructions ->
                    product(
                        new matmul(description),
                        factor(given, a, s.bf16),
                        factor(other, b, s.bf16),
                        of(c)));
      }
    }
  }

  private static memory.desc desc(
      int rows, int cols, boolean transposed, int stride, memory.data_type type) {
    long[] strides = transposed ? new long[] {1, stride} : new long[] {stride, 1};
    return new memory.desc(new long[] {rows, cols}, type, strides);
  }

  /** A matrix whose address is set before each product. */
  private memory of(memory.desc matrix) {
    return new memory(matrix, cpu, (Pointer) null);
  }

  private Factor factor(memory.desc given, memory.desc read, boolean rounds) {
    memory from = of(given);
    memory to = of(read);
    var rounding = rounds ? Optional.of(new reorder(from, to)) : Optional.<reorder>empty();
    return new Factor(from, to, rounding, read.get_size());
  }

  /** Memory of the thread for a factor in bfloat16, as large as the largest was. */
  private static final class Rounded {
    private Matrix memory = Matrix.allocate(1, 1);

    Pointer ofBytes(long bytes) {
      int floats = Math.toIntExact((bytes + Float.BYTES - 1) / Float.BYTES);
      if (memory.cols() < floats) {
        memory.close();
        memory = Matrix.allocate(1, floats);
      }
      return memory.pointer();
    }
  }

  /**
   * A factor of products.
   *
   * @param given as it is
   * @param read as the product reads it
   * @param rounding from the one to the other, where they differ
   * @param bytes of what the product reads
   */
  private record Factor(memory given, memory read, Optional<reorder> rounding, long bytes) {}

  private static Product product(matmul primitive, Factor a, Factor b, memory c) {
    var matrices = new IntMemoryMap();
    matrices
        .put(dnnl.DNNL_ARG_SRC, a.read)
        .put(dnnl.DNNL_ARG_WEIGHTS, b.read)
        .put(dnnl.DNNL_ARG_DST, c);
    return new Product(primitive, a, b, c, matrices);
  }

  private record Product(matmul primitive, Factor a, Factor b, memory c, IntMemoryMap matrices) {}

  private record Rounding(memory from, memory to, reorder reorder) {}

  /**
   * Whether this processor multiplies in bfloat16 more quickly than in float32: by AMX, or by
   * AVX512_BF16 on AMD's (twice as quick on Zen 4 and 5; on Intel's without AMX it is slower).
   */
  static boolean bf16IsQuick() {
    String set = instructions(Precision.BF16);
    return set.contains("amx")
        || set.equals("avx512_core_bf16") && Processor.HERE.vendor().equals("AuthenticAMD");
  }

  /**
   * The instruction set of products in a precision, as oneDNN names it; none if it has no fast way.
   */
  static String instructions(Precision precision) {
    if (!PRESENT) {
      return "none";
    }
    int size = 256;
    memory.data_type type = precision == Precision.BF16 ? bf16 : f32;
    try (memory.desc factor = desc(size, size, false, size, type);
        memory.desc c = desc(size, size, false, size, f32);
        var as = new primitive_attr();
        var product = new matmul.primitive_desc(OF_THREAD.get().cpu, factor, factor, c, as, true)) {
      return fast(product).orElse("none");
    }
  }

  /**
   * The instruction set of a product's fast implementation, if it has one. In bfloat16, a processor
   * without AVX-512 has none at all, and the description is empty.
   */
  private static Optional<String> fast(matmul.primitive_desc description) {
    if (description.get(true) == null) {
      return Optional.empty();
    }
    try (BytePointer implementation = description.impl_info_str()) {
      String name = implementation.getString();
      return name.startsWith(FAST)
          ? Optional.of(name.substring(FAST.length() + 1))
          : Optional.empty();
    }
  }

  private static boolean present() {
    try (engine cpu = new engine(engine.kind.cpu, 0)) {
      return !cpu.isNull();
    } catch (LinkageError e) { // of another platform or JavaCPP than this build's
      LOG.warn(
          "oneDNN cannot be loaded; OpenBLAS is used instead, about 15 % slower: {}",
          Causes.reason(e));
      return false;
    }
  }
}
