package org.mixtraining.gpu;

import com.sun.jna.Function;
import com.sun.jna.Library;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The kernels of {@code src/main/cuda} on the CPU. Behind all memory lies a strip that nothing may
 * write to; it is looked at when the memory is freed.
 */
public final class HostGpu implements Gpu {
  private static final int OPEN_LAZY = 1; // and its symbols for itself
  private static final int STRIP = 64;
  private static final byte UNTOUCHED = 0x5a;

  private final Memory.Type matrixType;
  private final KernelSignatures signatures;
  private final Function launch;
  private final Function product;
  private final Map<Long, com.sun.jna.Memory> allocated = new HashMap<>();
  private final Set<String> launched = new TreeSet<>();
  private int uploads;
  private long freeBytes = Long.MAX_VALUE;

  public HostGpu(Memory.Type matrixType) {
    this(matrixType, HostKernels.library(matrixType));
  }

  /** One whose kernels' threads are watched: a race for the memory that they share fails. */
  static HostGpu watchingRaces(Memory.Type matrixType) {
    return new HostGpu(matrixType, HostKernels.watched(matrixType));
  }

  private HostGpu(Memory.Type matrixType, Path kernels) {
    this.matrixType = matrixType;
    this.signatures = new KernelSignatures(matrixType);
    NativeLibrary library =
        NativeLibrary.getInstance(kernels.toString(), Map.of(Library.OPTION_OPEN_FLAGS, OPEN_LAZY));
    launch = library.getFunction("host_launch");
    product = library.getFunction("host_product");
  }

  /** Names of the kernels that were launched. */
  Set<String> launched() {
    return launched;
  }

  @Override
  public Memory.Type matrixType() {
    return matrixType;
  }

  @Override
  public Memory allocate(Memory.Type type, long count) {
    long bytes = count * type.bytes();
    var memory = new com.sun.jna.Memory(bytes + STRIP);
    memory.clear();
    memory.setMemory(bytes, STRIP, UNTOUCHED);
    allocated.put(Pointer.nativeValue(memory), memory);
    return new Memory(Pointer.nativeValue(memory), type, count);
  }

  @Override
  public void free(Memory memory) {
    com.sun.jna.Memory own = allocated.remove(memory.address());
    for (int i = 0; i < STRIP; i++) {
      if (own.getByte(memory.bytes() + i) != UNTOUCHED) {
        throw new AssertionError("a kernel has written behind " + memory);
      }
    }
    own.close();
  }

  @Override
  public void write(Memory to, float[] values) {
    pointer(to.first(values.length)).write(0, values, 0, values.length);
  }

  @Override
  public void write(Memory to, int[] values) {
    pointer(to.first(values.length)).write(0, values, 0, values.length);
  }

  @Override
  public void write(Memory to, double[] values) {
    pointer(to.first(values.length)).write(0, values, 0, values.length);
  }

  @Override
  public void write(Memory to, byte[] values) {
    pointer(to.first(values.length)).write(0, values, 0, values.length);
  }

  @Override
  public void upload(Memory to, ByteBuffer bytes) {
    byte[] values = new byte[bytes.remaining()];
    bytes.duplicate().get(values);
    write(to, values);
    uploads++;
  }

  /** How often something was uploaded. */
  int uploads() {
    return uploads;
  }

  /** Sets what is left of the device's memory; in truth it is that of the machine. */
  void freeBytes(long bytes) {
    freeBytes = bytes;
  }

  @Override
  public long freeBytes() {
    return freeBytes;
  }

  @Override
  public void finish() {
    // Every call is done when it returns.
  }

  @Override
  public void read(Memory from, float[] into) {
    pointer(from.first(into.length)).read(0, into, 0, into.length);
  }

  @Override
  public void read(Memory from, double[] into) {
    pointer(from.first(into.length)).read(0, into, 0, into.length);
  }

  private static Pointer pointer(Memory memory) {
    return memory.address() == 0 ? null : new Pointer(memory.address());
  }

  @Override
  public void launch(
      String kernel, long blocks, int threads, int sharedBytes, Object... arguments) {
    launched.add(kernel);
    signatures.check(kernel, arguments);
    try (var values = new com.sun.jna.Memory(8L * arguments.length);
        var pointers = new com.sun.jna.Memory(8L * arguments.length)) {
      for (int i = 0; i < arguments.length; i++) {
        put(values, 8L * i, arguments[i]);
        pointers.setPointer(8L * i, values.share(8L * i));
      }
      int failure =
          launch.invokeInt(new Object[] {kernel, blocks, threads, (long) sharedBytes, pointers});
      if (failure != 0) {
        throw new AssertionError(
            kernel
                + switch (failure) {
                  case 1 -> " is no kernel";
                  case 2 -> " has a barrier that not all threads reach";
                  default -> " has threads that race for shared memory";
                });
      }
    }
  }

  private static void put(com.sun.jna.Memory values, long at, Object argument) {
    switch (argument.getClass().getSimpleName()) {
      case "Memory" -> values.setLong(at, ((Memory) argument).address());
      case "Integer" -> values.setInt(at, (Integer) argument);
      case "Long" -> values.setLong(at, (Long) argument);
      case "Float" -> values.setFloat(at, (Float) argument);
      default -> throw new IllegalArgumentException("no argument of a kernel: " + argument);
    }
  }

  @Override
  public boolean multiplies(Gemm product) {
    return true;
  }

  @Override
  public void multiply(Gemm p) {
    if (p.a().type() != matrixType || p.b().type() != matrixType) {
      throw new AssertionError("factors must be of " + matrixType + ": " + p);
    }
    product.invoke(
        new Object[] {
          pointer(p.a()),
          p.aForm().ordinal(),
          pointer(p.b()),
          p.bForm().ordinal(),
          p.c() == null ? null : pointer(p.c()),
          p.bias() == null ? null : pointer(p.bias()),
          pointer(p.d()),
          p.d().type() == Memory.Type.FLOAT ? 1 : 0,
          p.gelu().ordinal(),
          p.pre() == null ? null : pointer(p.pre()),
          p.m(),
          p.n(),
          p.k()
        });
  }

  @Override
  public CapturedGraph capture(Runnable calls) {
    return CapturedGraph.of(calls);
  }

  @Override
  public void close() {
    if (!allocated.isEmpty()) {
      throw new AssertionError(allocated.size() + " pieces of memory were not freed");
    }
  }
}
