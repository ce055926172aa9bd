package org.mixtraining.gpu;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.bytedeco.cuda.cudart.CUevent_st;
import org.bytedeco.cuda.cudart.CUgraphExec_st;
import org.bytedeco.cuda.cudart.CUgraph_st;
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
import org.mixtraining.kernels.OutOfDeviceMemoryException;

/** A GPU by NVIDIA's driver: all work goes to one stream, and what is captured is a CUDA graph. */
final class CudaGpu implements Gpu {
  private final CudaDevice device;
  private final Memory.Type matrixType;
  private final CUstream_st stream = new CUstream_st();
  private final CudaKernels kernels;
  private final Memory workspace;
  private final CublasLt products;
  private final Map<Long, Staging> stagings = new HashMap<>();

  CudaGpu(CudaDevice device, Precision precision) {
    this.device = device;
    this.matrixType = precision == Precision.BF16 ? Memory.Type.BF16 : Memory.Type.FLOAT;
    device.bind();
    Cuda.check("cuStreamCreate", cudart.cuStreamCreate(stream, cudart.CU_STREAM_NON_BLOCKING));
    this.kernels = new CudaKernels(device, matrixType);
    this.workspace = allocate(Memory.Type.FLOAT, CublasLt.WORKSPACE_BYTES / Float.BYTES);
    this.products = new CublasLt(precision, workspace);
  }

  @Override
  public Memory.Type matrixType() {
    return matrixType;
  }

  // --- memory ----------------------------------------------------------------------------------

  @Override
  public Memory allocate(Memory.Type type, long count) {
    long bytes = Math.max(1, count * type.bytes());
    long[] address = new long[1];
    int answer = cudart.cuMemAlloc(address, bytes);
    if (answer == cudart.CUDA_ERROR_OUT_OF_MEMORY) {
      throw new OutOfDeviceMemoryException(
          String.format(
              Locale.ROOT,
              "mixtraining.optimizer.batch-size: a step takes more memory than %s has left (%d MB more were asked for): lower it",
              device.name(),
              (bytes >> 20) + 1));
    }
    Cuda.check(String.format(Locale.ROOT, "cuMemAlloc(%d)", bytes), answer);
    Cuda.check("cuMemsetD8Async", cudart.cuMemsetD8Async(address[0], (byte) 0, bytes, stream));
    return new Memory(address[0], type, count);
  }

  @Override
  public void free(Memory memory) {
    finish();
    Cuda.check("cuMemFree", cudart.cuMemFree(memory.address()));
    Staging staging = stagings.remove(memory.address());
    if (staging != null) {
      staging.close();
    }
  }

  @Override
  public void write(Memory to, float[] values) {
    Pointer staged = staging(to).next(4L * values.length);
    new FloatPointer(staged).put(values, 0, values.length);
    copy(to, 4L * values.length);
  }

  @Override
  public void write(Memory to, int[] values) {
    Pointer staged = staging(to).next(4L * values.length);
    new IntPointer(staged).put(values, 0, values.length);
    copy(to, 4L * values.length);
  }

  @Override
  public void write(Memory to, double[] values) {
    Pointer staged = staging(to).next(8L * values.length);
    new DoublePointer(staged).put(values, 0, values.length);
    copy(to, 8L * values.length);
  }

  @Override
  public void write(Memory to, byte[] values) {
    Pointer staged = staging(to).next(values.length);
    new BytePointer(staged).put(values, 0, values.length);
    copy(to, values.length);
  }

  @Override
  public void upload(Memory to, ByteBuffer bytes) {
    finish();
    Cuda.check(
        String.format(Locale.ROOT, "cuMemcpyHtoD(%d)", bytes.remaining()),
        cudart.cuMemcpyHtoD(
            to.first(bytes.remaining()).address(), new BytePointer(bytes), bytes.remaining()));
  }

  @Override
  public long freeBytes() {
    try (SizeTPointer free = new SizeTPointer(1);
        SizeTPointer all = new SizeTPointer(1)) {
      Cuda.check("cuMemGetInfo", cudart.cuMemGetInfo(free, all));
      return free.get();
    }
  }

  private Staging staging(Memory to) {
    return stagings.computeIfAbsent(to.address(), address -> new Staging());
  }

  private void copy(Memory to, long bytes) {
    if (bytes > to.bytes()) {
      throw new IllegalArgumentException(String.format(Locale.ROOT, "%d bytes for %s", bytes, to));
    }
    Staging staging = staging(to);
    Cuda.check(
        "cuMemcpyHtoDAsync",
        cudart.cuMemcpyHtoDAsync(to.address(), staging.current(), bytes, stream));
    staging.copied(stream);
  }

  @Override
  public void finish() {
    Cuda.check("cuStreamSynchronize", cudart.cuStreamSynchronize(stream));
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

  /** Page-locked memory, two pieces in turn, so that one is filled while the other is copied. */
  private static final class Staging implements AutoCloseable {
    private final Pointer[] pieces = new Pointer[2];
    private final long[] bytes = new long[2];
    private final CUevent_st[] copied = {new CUevent_st(), new CUevent_st()};
    private int current;

    Staging() {
      for (CUevent_st event : copied) {
        Cuda.check("cuEventCreate", cudart.cuEventCreate(event, 0));
      }
    }

    /** The next piece, when it has been copied. */
    Pointer next(long size) {
      current = 1 - current;
      Cuda.check("cuEventSynchronize", cudart.cuEventSynchronize(copied[current]));
      if (bytes[current] < size) {
        release(current);
        pieces[current] = new Pointer();
        Cuda.check(
            String.format(Locale.ROOT, "cuMemHostAlloc(%d)", size),
            cudart.cuMemHostAlloc(pieces[current], size, 0));
        bytes[current] = size;
      }
      return pieces[current];
    }

    Pointer current() {
      return pieces[current];
    }

    void copied(CUstream_st stream) {
      Cuda.check("cuEventRecord", cudart.cuEventRecord(copied[current], stream));
    }

    private void release(int which) {
      if (pieces[which] != null) {
        Cuda.check("cuMemFreeHost", cudart.cuMemFreeHost(pieces[which]));
      }
    }

    @Override
    public void close() {
      for (int i = 0; i < pieces.length; i++) {
        Cuda.check("cuEventSynchronize", cudart.cuEventSynchronize(copied[i]));
        release(i);
        Cuda.check("cuEventDestroy", cudart.cuEventDestroy(copied[i]));
      }
    }
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
  public void multiply(Gemm product) {
    products.multiply(product, stream);
  }

  @Override
  public CapturedGraph capture(Runnable calls) {
    return new Graph(calls);
  }

  /**
   * A CUDA graph. The first time, the calls are made as they are: libraries then load their code,
   * which they may not do while they are captured.
   */
  private final class Graph implements CapturedGraph {
    private final Runnable calls;
    private boolean called;
    private CUgraphExec_st graph;

    Graph(Runnable calls) {
      this.calls = calls;
    }

    @Override
    public void launch() {
      if (!called) {
        calls.run();
        called = true;
        return;
      }
      if (graph == null) {
        graph = captured();
      }
      Cuda.check("cuGraphLaunch", cudart.cuGraphLaunch(graph, stream));
    }

    private CUgraphExec_st captured() {
      CUgraph_st captured = new CUgraph_st();
      CUgraphExec_st executable = new CUgraphExec_st();
      Cuda.check(
          "cuStreamBeginCapture",
          cudart.cuStreamBeginCapture(stream, cudart.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
      calls.run();
      Cuda.check("cuStreamEndCapture", cudart.cuStreamEndCapture(stream, captured));
      Cuda.check("cuGraphInstantiate", cudart.cuGraphInstantiate(executable, captured, 0));
      Cuda.check("cuGraphDestroy", cudart.cuGraphDestroy(captured));
      return executable;
    }

    @Override
    public void close() {
      if (graph != null) {
        finish();
        Cuda.check("cuGraphExecDestroy", cudart.cuGraphExecDestroy(graph));
      }
    }
  }

  @Override
  public void close() {
    finish();
    stagings.values().forEach(Staging::close);
    products.close();
    free(workspace);
    kernels.close();
    Cuda.check("cuStreamDestroy", cudart.cuStreamDestroy(stream));
  }
}
