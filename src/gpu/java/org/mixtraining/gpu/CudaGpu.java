package org.mixtraining.gpu;

import java.nio.ByteBuffer;
import java.util.Locale;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.SizeTPointer;
import org.mixtraining.config.WorkersConfig.Precision;

/**
 * A GPU by NVIDIA's driver: all work goes to one stream, and what is captured is a CUDA graph.
 *
 * <p>An error of a kernel is told by a later call. To know the kernel, start the JVM with {@code
 * -Dmixtraining.gpu.sync=true}: then nothing is captured, and each call waits for its own end.
 */
final class CudaGpu implements Gpu {
  private final Owned owned;
  private final Memory.Type matrixType;
  private final CUstream_st stream;
  private final CudaKernels kernels;
  private final DeviceMemory memory;
  private final CublasLt products;
  private final boolean waits = Boolean.getBoolean("mixtraining.gpu.sync");

  static CudaGpu open(CudaDevice device, Precision precision) {
    return Owned.whole(owned -> new CudaGpu(owned, device, precision));
  }

  private CudaGpu(Owned owned, CudaDevice device, Precision precision) {
    this.owned = owned;
    this.matrixType = precision == Precision.BF16 ? Memory.Type.BF16 : Memory.Type.FLOAT;
    device.bind();
    stream = new CUstream_st();
    Cuda.check("cuStreamCreate", cudart.cuStreamCreate(stream, cudart.CU_STREAM_NON_BLOCKING));
    owned.add(() -> Cuda.check("cuStreamDestroy", cudart.cuStreamDestroy(stream)));
    kernels = new CudaKernels(device, matrixType);
    owned.add(kernels::close);
    memory = new DeviceMemory(device, stream);
    owned.add(memory::close);
    Memory workspace = memory.allocate(Memory.Type.BYTE, CublasLt.WORKSPACE_BYTES);
    products = new CublasLt(precision, workspace);
    owned.add(products::close);
  }

  @Override
  public Memory.Type matrixType() {
    return matrixType;
  }

  // --- memory ----------------------------------------------------------------------------------

  @Override
  public Memory allocate(Memory.Type type, long count) {
    return memory.allocate(type, count);
  }

  @Override
  public void free(Memory freed) {
    finish();
    memory.free(freed);
  }

  @Override
  public void write(Memory to, float[] values) {
    memory.write(to, 4L * values.length, at -> new FloatPointer(at).put(values, 0, values.length));
  }

  @Override
  public void write(Memory to, int[] values) {
    memory.write(to, 4L * values.length, at -> new IntPointer(at).put(values, 0, values.length));
  }

  @Override
  public void write(Memory to, double[] values) {
    memory.write(to, 8L * values.length, at -> new DoublePointer(at).put(values, 0, values.length));
  }

  @Override
  public void write(Memory to, byte[] values) {
    memory.write(to, values.length, at -> new BytePointer(at).put(values, 0, values.length));
  }

  /** On the stream, since a copy beside it may land after the call that makes it. */
  @Override
  public void upload(Memory to, ByteBuffer bytes) {
    Cuda.check(
        String.format(Locale.ROOT, "cuMemcpyHtoDAsync(%d)", bytes.remaining()),
        cudart.cuMemcpyHtoDAsync(
            to.first(bytes.remaining()).address(),
            new BytePointer(bytes),
            bytes.remaining(),
            stream));
    finish();
  }

  @Override
  public long freeBytes() {
    try (SizeTPointer free = new SizeTPointer(1);
        SizeTPointer all = new SizeTPointer(1)) {
      Cuda.check("cuMemGetInfo", cudart.cuMemGetInfo(free, all));
      return free.get();
    }
  }

  @Override
  public void finish() {
    finish("cuStreamSynchronize");
  }

  private void finish(String call) {
    Cuda.check(call, cudart.cuStreamSynchronize(stream));
  }

  @Override
  public void read(Memory from, float[] into) {
    try (FloatPointer host = new FloatPointer(into.length)) {
      read(from, host, 4L * into.length);
      host.get(into);
    }
  }

  @Override
  public void read(Memory from, double[] into) {
    try (DoublePointer host = new DoublePointer(into.length)) {
      read(from, host, 8L * into.length);
      host.get(into);
    }
  }

  private void read(Memory from, Pointer host, long bytes) {
    finish();
    Cuda.check("cuMemcpyDtoH", cudart.cuMemcpyDtoH(host, from.address(), bytes));
  }

  // --- work ------------------------------------------------------------------------------------

  @Override
  public void launch(
      String kernel, long blocks, int threads, int sharedBytes, Object... arguments) {
    try (LongPointer values = new LongPointer(arguments.length);
        PointerPointer<LongPointer> pointers = new PointerPointer<>(arguments.length)) {
      for (int i = 0; i < arguments.length; i++) {
        values.put(i, bits(arguments[i]));
        pointers.put(i, values.getPointer(i));
      }
      Cuda.check(
          "cuLaunchKernel(%s)".formatted(kernel),
          cudart.cuLaunchKernel(
              kernels.function(kernel, sharedBytes),
              Math.toIntExact(blocks),
              1,
              1,
              threads,
              1,
              1,
              sharedBytes,
              stream,
              pointers,
              null));
    }
    if (waits) {
      finish(kernel);
    }
  }

  /** An argument's bytes, from the lowest on. */
  private static long bits(Object argument) {
    if (argument instanceof Memory memory) {
      return memory.address();
    } else if (argument instanceof Integer value) {
      return value;
    } else if (argument instanceof Long value) {
      return value;
    } else if (argument instanceof Float value) {
      return Float.floatToRawIntBits(value);
    }
    throw new IllegalArgumentException("no argument of a kernel: " + argument);
  }

  @Override
  public boolean multiplies(Gemm product) {
    return products.multiplies(product);
  }

  @Override
  public void multiply(Gemm product) {
    if (!products.multiply(product, stream)) {
      addBias(product);
    }
    if (waits) {
      finish(product.toString());
    }
  }

  /** What a product could not add itself. */
  private void addBias(Gemm p) {
    String kernel = p.d().type() == Memory.Type.FLOAT ? "add_bias" : "add_rounded_bias";
    long values = (long) p.m() * p.n();
    launch(
        kernel,
        Operations.blocks(values),
        Operations.THREADS,
        0,
        p.d(),
        p.bias(),
        (long) p.m(),
        p.n());
  }

  @Override
  public CapturedGraph capture(Runnable calls) {
    return waits ? CapturedGraph.of(calls) : new CudaGraph(stream, calls);
  }

  @Override
  public void close() {
    try (owned) {
      finish();
    }
  }
}
