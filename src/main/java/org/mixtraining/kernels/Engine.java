package org.mixtraining.kernels;

import static org.bytedeco.openblas.global.openblas.blas_set_num_threads;

import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.nativeblas.NativeOpsHolder;

/**
 * Kernels and the threads that they run on: what a worker computes with. One engine serves one
 * training at a time; concurrent trainings in one process have one each.
 */
public final class Engine implements AutoCloseable {
  private final Kernels kernels;
  private final Crew crew;

  private Engine(Kernels kernels, Crew crew) {
    this.kernels = kernels;
    this.crew = crew;
  }

  /**
   * The CPU engine: BLAS on raw pointers and Vector API kernels, {@code threads} at a time. BLAS
   * and ND4J's operations are set to one thread each, in the whole process.
   */
  public static Engine cpu(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("an engine has at least 1 thread, got " + threads);
    }
    if (!Nd4j.getEnvironment().isCPU()) {
      throw new IllegalStateException(
          "the CPU engine needs ND4J's CPU backend (nd4j-native), found "
              + Nd4j.getBackend().getClass().getSimpleName());
    }
    blas_set_num_threads(1);
    // ND4J's own OpenMP threads would go on spinning for work while the engine's threads compute.
    NativeOpsHolder.getInstance().getDeviceNativeOps().setOmpNumThreads(1);
    return new Engine(new CheckedKernels(new CpuKernels(RowOps.best())), new Crew(threads));
  }

  /**
   * The portable engine: ND4J operations on whatever backend ND4J has found. It has one thread; the
   * backend spreads each operation over its device.
   */
  public static Engine nd4j() {
    return new Engine(new CheckedKernels(new Nd4jKernels()), new Crew(1));
  }

  /** This engine, its threads included, with the time of every kernel call counted. */
  public Engine timed(KernelTimes times) {
    return new Engine(times.around(kernels), crew);
  }

  public Kernels kernels() {
    return kernels;
  }

  public int threads() {
    return crew.size();
  }

  /** A piece of parallel work. */
  @FunctionalInterface
  public interface Task {
    /**
     * @param thread the engine's thread that runs it, from 0: for memory of its own
     * @param index which piece it is, from 0
     */
    void run(int thread, int index);
  }

  /**
   * Runs the body for the indices 0 … tasks − 1, each once, on this engine's threads, the caller
   * among them; which thread takes which task is not fixed. Returns when all are done; the first
   * exception is thrown to the caller after the others have stopped, and tasks not yet begun are
   * left out.
   */
  public void parallel(int tasks, Task body) {
    crew.run(tasks, body);
  }

  /** Stops the threads. */
  @Override
  public void close() {
    crew.close();
  }
}
