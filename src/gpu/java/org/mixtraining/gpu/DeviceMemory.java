package org.mixtraining.gpu;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.bytedeco.cuda.cudart.CUevent_st;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.Pointer;
import org.mixtraining.kernels.OutOfDeviceMemoryException;

/**
 * Memory of a device, and page-locked memory beside each that is written to: a copy from there goes
 * on while the CPU does something else.
 */
final class DeviceMemory implements AutoCloseable {
  private final CudaDevice device;
  private final CUstream_st stream;
  private final NavigableMap<Long, Allocation> allocations = new TreeMap<>(); // by address

  private static final class Allocation {
    private Staging staging; // null until something is written

    Staging staging() {
      if (staging == null) {
        staging = new Staging();
      }
      return staging;
    }
  }

  DeviceMemory(CudaDevice device, CUstream_st stream) {
    this.device = device;
    this.stream = stream;
  }

  /** As {@link Gpu#allocate}. */
  Memory allocate(Memory.Type type, long count) {
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
    allocations.put(address[0], new Allocation());
    Memory memory = new Memory(address[0], type, count);
    return Owned.whole(
        owned -> {
          owned.add(() -> free(memory));
          Cuda.check(
              "cuMemsetD8Async", cudart.cuMemsetD8Async(address[0], (byte) 0, bytes, stream));
          return memory;
        });
  }

  /** Gives back memory that nothing queued reads any more. */
  void free(Memory memory) {
    free(memory.address(), allocations.remove(memory.address()));
  }

  private static void free(long address, Allocation allocation) {
    try (Owned owned = new Owned()) {
      if (allocation.staging != null) {
        owned.add(allocation.staging::close);
      }
      owned.add(() -> Cuda.check("cuMemFree", cudart.cuMemFree(address)));
    }
  }

  /**
   * Copies values after all that was called before.
   *
   * @param fill puts them into page-locked memory
   */
  void write(Memory to, long bytes, Consumer<Pointer> fill) {
    if (bytes > to.bytes()) {
      throw new IllegalArgumentException(String.format(Locale.ROOT, "%d bytes for %s", bytes, to));
    }
    Staging staging = allocations.floorEntry(to.address()).getValue().staging();
    Pointer piece = staging.next(bytes);
    fill.accept(piece);
    Cuda.check("cuMemcpyHtoDAsync", cudart.cuMemcpyHtoDAsync(to.address(), piece, bytes, stream));
    staging.copied(stream);
  }

  /** What nobody has given back. */
  @Override
  public void close() {
    try (Owned owned = new Owned()) {
      for (Map.Entry<Long, Allocation> left : List.copyOf(allocations.entrySet())) {
        owned.add(() -> free(left.getKey(), left.getValue()));
      }
      allocations.clear();
    }
  }

  /** Two pieces of page-locked memory in turn, so that one is filled while the other is copied. */
  private static final class Staging implements AutoCloseable {
    private final Piece[] pieces = new Piece[2];
    private int current;

    private record Piece(Pointer memory, long bytes, CUevent_st copied) {}

    /** The next piece, when it has been copied. */
    Pointer next(long bytes) {
      current = 1 - current;
      Piece piece = pieces[current];
      if (piece != null) {
        Cuda.check("cuEventSynchronize", cudart.cuEventSynchronize(piece.copied));
      }
      if (piece == null || piece.bytes < bytes) {
        pieces[current] = null;
        release(piece);
        pieces[current] = Owned.whole(owned -> piece(owned, bytes));
      }
      return pieces[current].memory;
    }

    private static Piece piece(Owned owned, long bytes) {
      CUevent_st event = new CUevent_st();
      Cuda.check("cuEventCreate", cudart.cuEventCreate(event, cudart.CU_EVENT_DISABLE_TIMING));
      owned.add(() -> Cuda.check("cuEventDestroy", cudart.cuEventDestroy(event)));
      Pointer memory = new Pointer();
      Cuda.check(
          String.format(Locale.ROOT, "cuMemHostAlloc(%d)", bytes),
          cudart.cuMemHostAlloc(memory, bytes, 0));
      return new Piece(memory, bytes, event);
    }

    void copied(CUstream_st stream) {
      Cuda.check("cuEventRecord", cudart.cuEventRecord(pieces[current].copied, stream));
    }

    private static void release(Piece piece) {
      if (piece != null) {
        try (Owned owned = new Owned()) {
          owned.add(() -> Cuda.check("cuEventDestroy", cudart.cuEventDestroy(piece.copied)));
          owned.add(() -> Cuda.check("cuMemFreeHost", cudart.cuMemFreeHost(piece.memory)));
        }
      }
    }

    @Override
    public void close() {
      try (Owned owned = new Owned()) {
        for (Piece piece : pieces) {
          owned.add(() -> release(piece));
        }
      }
    }
  }
}
