package org.mixtraining.kernels;

import java.util.function.IntConsumer;

/**
 * Kernels and the threads that they run on: what a worker computes with. One engine serves one
 * training at a time; concurrent trainings in one process have one each.
 */
public final class Engine implements AutoCloseable {

  /** The CPU engine: BLAS on raw pointers and Vector API kernels, {@code threads} at a time. */
  public static Engine cpu(int threads) {
    throw new UnsupportedOperationException();
  }

  /** The portable engine: ND4J operations on whatever backend ND4J has found. */
  public static Engine nd4j() {
    throw new UnsupportedOperationException();
  }

  public Kernels kernels() {
    throw new UnsupportedOperationException();
  }

  public int threads() {
    throw new UnsupportedOperationException();
  }

  /**
   * Runs body(0) … body(tasks − 1), each once, on this engine's threads, the caller among them;
   * which thread takes which task is not fixed. Returns when all are done; the first exception is
   * thrown to the caller after the others have stopped.
   */
  public void parallel(int tasks, IntConsumer body) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {}
}
