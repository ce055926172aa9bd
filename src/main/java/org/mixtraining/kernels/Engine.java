package org.mixtraining.kernels;

import static org.bytedeco.openblas.global.openblas.blas_set_num_threads;

import org.mixtraining.config.WorkersConfig.Precision;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.nativeblas.NativeOpsHolder;

/**
 * A worker's compute engine: kernels and the threads that they run on. One engine serves one
 * training at a time; concurrent trainings in one process have one each.
 */
public record Engine(Kernels kernels, WorkerThreads workerThreads) implements AutoCloseable {
  /** Parameters that one task takes. */
  private static final int SLICE = 1 << 17;

  /** The CPU engine in float32. */
  public static Engine cpu(int threads) {
    return cpu(threads, Precision.FP32);
  }

  /**
   * The CPU engine: BLAS on raw pointers and Vector API kernels, {@code threads} at a time. BLAS
   * and ND4J's operations are set to one thread each, in the whole process.
   *
   * @param precision of large matrix products, by {@link Processor#precision}
   */
  public static Engine cpu(int threads, Precision precision) {
    if (!Nd4j.getEnvironment().isCPU()) {
      throw new IllegalStateException(
          "the CPU engine needs ND4J's CPU backend (nd4j-native), found "
              + Nd4j.getBackend().getClass().getSimpleName());
    }
    blas_set_num_threads(1);
    // ND4J's own OpenMP threads would go on spinning for work while the engine's threads compute.
    NativeOpsHolder.getInstance().getDeviceNativeOps().setOmpNumThreads(1);
    return new Engine(
        new CheckedKernels(
            new CpuKernels(
                RowOps.best(), new Gemm(Processor.precision(precision) == Precision.BF16))),
        new WorkerThreads(threads));
  }

  /**
   * The portable engine: ND4J operations on whatever backend ND4J has found. It has one thread; the
   * backend spreads each operation over its device.
   */
  public static Engine nd4j() {
    return new Engine(new CheckedKernels(new Nd4jKernels()), new WorkerThreads(1));
  }

  /** This engine, its threads included, with the time of every kernel call counted. */
  public Engine timed(KernelTimes times) {
    return new Engine(times.around(kernels), workerThreads);
  }

  public int threads() {
    return workerThreads.size();
  }

  /** A stretch in which weights keep their values. */
  public interface Held extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Holds weights[1, n] for the products until the stretch is closed: their values must not change
   * in between, except after the last product.
   */
  public Held hold(Matrix weights) {
    if (kernels.holdWeights(weights)) {
      eachSlice(weights.cols(), (from, to) -> kernels.roundWeights(weights.cols(from, to)));
    }
    return kernels::releaseWeights;
  }

  /** {@linkplain WorkerThreads#slices Runs} the body on this engine's threads for n parameters. */
  public void eachSlice(int n, WorkerThreads.Slice body) {
    workerThreads.slices(n, kernels.takesWholeBatches() ? n : SLICE, body);
  }

  /** {@linkplain WorkerThreads#run Runs} the body on this engine's threads. */
  public void parallel(int tasks, WorkerThreads.Task body) {
    workerThreads.run(tasks, body);
  }

  /** Stops the threads. */
  @Override
  public void close() {
    workerThreads.close();
  }
}
