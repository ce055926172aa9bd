package org.mixtraining.gpu;

import java.nio.ByteBuffer;

/**
 * The operations of a GPU that a step needs. Launches and products are done in the order of the
 * calls, perhaps later; one thread at a time may call.
 */
public interface Gpu extends AutoCloseable {

  /** The type that matrix products read. */
  Memory.Type matrixType();

  /**
   * Memory, filled with zeros.
   *
   * @throws org.mixtraining.config.UserException if the device has not so much left
   */
  Memory allocate(Memory.Type type, long count);

  void free(Memory memory);

  /** Bytes that could be allocated. */
  long freeBytes();

  /** Copies values to the device, after all that was called before. */
  void write(Memory to, float[] values);

  /** The same. */
  void write(Memory to, int[] values);

  /** The same. */
  void write(Memory to, byte[] values);

  /** The same. */
  void write(Memory to, double[] values);

  /** Waits for all that was called before, then copies a direct buffer's remaining bytes. */
  void upload(Memory to, ByteBuffer bytes);

  /** Waits for all that was called before. */
  void finish();

  /** Waits for all that was called before, then copies the memory's content from the device. */
  void read(Memory from, float[] into);

  /** The same. */
  void read(Memory from, double[] into);

  /**
   * Launches a kernel.
   *
   * @param blocks of threads
   * @param threads of a block, a multiple of 32
   * @param sharedBytes memory that the threads of a block share
   * @param arguments {@link Memory}, or Integer, Long and Float for int, long and float
   */
  void launch(String kernel, long blocks, int threads, int sharedBytes, Object... arguments);

  /** Launches a matrix product. */
  void multiply(Gemm product);

  /** Whether it can, which is sure without GELU. */
  boolean multiplies(Gemm product);

  /**
   * Captures launches and products as one graph, to be launched again and again.
   *
   * @param calls that make them, and nothing else
   */
  CapturedGraph capture(Runnable calls);

  /** Captured launches and products, launched as one. */
  interface CapturedGraph extends AutoCloseable {

    /** That of a device which repeats the calls each time. */
    static CapturedGraph of(Runnable calls) {
      return calls::run;
    }

    void launch();

    /** Frees what it holds. */
    @Override
    default void close() {}
  }

  @Override
  void close();
}
