package org.mixtraining.kernels;

/**
 * The peak rate of matrix products on this machine, measured on square products within the cache,
 * one per thread: the reference that a training step's rate is compared with.
 */
public final class GemmPeak {

  private static final int SIZE = 768;
  private static final int PRODUCTS = 12;
  private static final int ROUNDS = 5;

  private GemmPeak() {}

  /** Floating-point operations a second, in 10⁹, of all threads of the engine together. */
  public static double gflops(Engine engine) {
    double best = 0;
    for (int round = 0; round < ROUNDS; round++) {
      long start = System.nanoTime();
      engine.parallel(engine.threads(), (thread, task) -> products(engine.kernels()));
      double seconds = (System.nanoTime() - start) / 1e9;
      double flops = 2.0 * SIZE * SIZE * SIZE * PRODUCTS * engine.threads();
      best = Math.max(best, flops / seconds / 1e9);
    }
    return best;
  }

  private static void products(Kernels kernels) {
    try (Matrix a = Matrix.allocate(SIZE, SIZE);
        Matrix b = Matrix.allocate(SIZE, SIZE);
        Matrix c = Matrix.allocate(SIZE, SIZE)) {
      for (int i = 0; i < PRODUCTS; i++) {
        kernels.matmul(a, b, c);
      }
    }
  }
}
