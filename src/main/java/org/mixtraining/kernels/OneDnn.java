package org.mixtraining.kernels;

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
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.nativeblas.NativeOpsHolder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Matrix products by the matmul primitive of oneDNN, a thread's own. Not by its sgemm, which is as
 * fast: that one may point the stack register at memory of the heap, and a signal's handler, such
 * as that of a JVM's profiler, then writes over what lies there.
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
      int strideC) {}

  /**
   * Computes the product if oneDNN has a fast implementation for it; otherwise returns false and
   * leaves c unchanged.
   */
  static boolean multiplies(Shape shape, Matrix a, Matrix b, Matrix c) {
    if (!PRESENT) {
      return false;
    }
    OneDnn own = OF_THREAD.get();
    Optional<Product> product = own.product(shape);
    product.ifPresent(p -> p.run(own.stream, a, b, c));
    return product.isPresent();
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
    try (memory.desc a = desc(s.m, s.k, s.transA, s.strideA);
        memory.desc b = desc(s.k, s.n, s.transB, s.strideB);
        memory.desc c = desc(s.m, s.n, false, s.strideC);
        post_ops after = new post_ops();
        primitive_attr attributes = new primitive_attr()) {
      if (s.adds) {
        after.append_sum();
        attributes.set_post_ops(after);
      }
      try (var description = new matmul.primitive_desc(cpu, a, b, c, attributes, true);
          BytePointer name = description.impl_info_str()) {
        return name.getString().startsWith(FAST)
            ? Optional.of(product(new matmul(description), of(a), of(b), of(c)))
            : Optional.empty();
      }
    }
  }

  private static Product product(matmul primitive, memory a, memory b, memory c) {
    var matrices = new IntMemoryMap();
    matrices.put(dnnl.DNNL_ARG_SRC, a).put(dnnl.DNNL_ARG_WEIGHTS, b).put(dnnl.DNNL_ARG_DST, c);
    return new Product(primitive, a, b, c, matrices);
  }

  private static memory.desc desc(int rows, int cols, boolean transposed, int stride) {
    long[] strides = transposed ? new long[] {1, stride} : new long[] {stride, 1};
    return new memory.desc(new long[] {rows, cols}, memory.data_type.f32, strides);
  }

  /** A matrix whose address is set before each product. */
  private memory of(memory.desc matrix) {
    return new memory(matrix, cpu, (Pointer) null);
  }

  private record Product(matmul primitive, memory a, memory b, memory c, IntMemoryMap matrices) {
    void run(stream stream, Matrix x, Matrix y, Matrix z) {
      a.set_data_handle(x.pointer());
      b.set_data_handle(y.pointer());
      c.set_data_handle(z.pointer());
      primitive.execute(stream, matrices);
    }
  }

  private static boolean present() {
    try (engine cpu = new engine(engine.kind.cpu, 0)) {
      return !cpu.isNull();
    } catch (LinkageError e) { // of another platform or JavaCPP than this build's
      LOG.warn(
          "oneDNN cannot be loaded; OpenBLAS is used instead, about 15 % slower: {}", e.toString());
      return false;
    }
  }
}
