package org.mixtraining.kernels;

/**
 * The rate that matrix products reach on this machine where nothing else is in their way: square
 * products within the cache, every thread its own. What a training step reaches is held against it.
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
