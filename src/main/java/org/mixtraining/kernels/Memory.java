package org.mixtraining.kernels;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The floats behind a {@link Matrix} and all its views: a part of an ND4J buffer, seen several
 * ways. ND4J operations take the buffer, the Vector API takes {@link #vectors}, BLAS takes {@link
 * #at}.
 */
final class Memory {
  /** A byte buffer's index is an int. */
  static final long MAX_FLOATS = Integer.MAX_VALUE / Float.BYTES;

  private static final int ALIGNMENT = 64;

  /** The buffer; never itself a view with an offset. */
  final DataBuffer buffer;

  /** Where this memory begins in the buffer, in floats. */
  final long start;

  /** The same floats in native byte order; null where the buffer lies on a device. */
  final ByteBuffer bytes;

  /** The bytes as the Vector API of this JDK takes them. */
  final Object vectors;

  private final long address;

  private Memory(DataBuffer buffer, long start, long length) {
    this.buffer = buffer;
    this.start = start;
    boolean onHost = Nd4j.getEnvironment().isCPU();
    this.address = onHost ? buffer.address() + start * Float.BYTES : 0;
    this.bytes = onHost ? window(address, length * Float.BYTES) : null;
    this.vectors = onHost ? Segments.of(bytes) : null;
  }

  /** Zeroed memory, outside any workspace, that begins on a cache line. */
  static Memory allocate(long length) {
    checkLength(length);
    int slack = ALIGNMENT / Float.BYTES;
    DataBuffer buffer = Nd4j.createBuffer(DataType.FLOAT, length + slack, true, null);
    long misaligned = Nd4j.getEnvironment().isCPU() ? buffer.address() % ALIGNMENT : 0;
    return new Memory(buffer, (ALIGNMENT - misaligned) % ALIGNMENT / Float.BYTES, length);
  }

  /** {@code length} floats of {@code buffer} from {@code start}, counted from the root buffer. */
  static Memory of(DataBuffer buffer, long start, long length) {
    checkLength(length);
    DataBuffer root = buffer.originalDataBuffer() == null ? buffer : buffer.originalDataBuffer();
    return new Memory(root, start, length);
  }

  private static void checkLength(long length) {
    if (length > MAX_FLOATS) {
      throw new IllegalArgumentException(
          "a matrix holds at most %s floats, got %s".formatted(MAX_FLOATS, length));
    }
  }

  /** A native pointer to a float of this memory, which it keeps alive. */
  FloatPointer at(int offset) {
    return new Address(this, address + (long) offset * Float.BYTES);
  }

  private static ByteBuffer window(long address, long bytes) {
    return new Bytes(address, bytes).asByteBuffer().order(ByteOrder.nativeOrder());
  }

  /** JavaCPP offers no constructor from an address, but lets subclasses set it. */
  private static final class Address extends FloatPointer {
    @SuppressWarnings({"unused", "FieldCanBeLocal"})
    private final Memory keptAlive;

    Address(Memory memory, long address) {
      super((Pointer) null);
      this.keptAlive = memory;
      this.address = address;
    }
  }

  private static final class Bytes extends BytePointer {
    Bytes(long address, long length) {
      super((Pointer) null);
      this.address = address;
      this.limit = length;
      this.capacity = length;
    }
  }
}
