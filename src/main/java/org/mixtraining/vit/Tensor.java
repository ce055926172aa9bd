package org.mixtraining.vit;

import java.util.SplittableRandom;

/**
 * One named parameter of a layer.
 *
 * @param name its name within the layer, such as {@code qkv.weight}
 * @param rows rows; for a weight matrix the input width
 * @param cols columns; for a weight matrix the output width
 */
public record Tensor(String name, int rows, int cols, Init init) {

  /** How a parameter begins. */
  enum Init {
    /** A weight matrix: uniform in ±√(6 / (rows + cols)) (Glorot and Bengio, 2010). */
    XAVIER,
    /** A token: normal with standard deviation 0.02. */
    TOKEN,
    ZERO,
    ONE
  }

  static Tensor weight(String name, int rows, int cols) {
    return new Tensor(name, rows, cols, Init.XAVIER);
  }

  static Tensor vector(String name, int size, Init init) {
    return new Tensor(name, 1, size, init);
  }

  public int size() {
    return rows * cols;
  }

  /** Whether it is a weight matrix: only those decay. */
  public boolean decays() {
    return init == Init.XAVIER;
  }

  public float[] initial(SplittableRandom random) {
    float[] values = new float[size()];
    double bound = Math.sqrt(6.0 / (rows + cols));
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (init) {
            case XAVIER -> (float) ((2 * random.nextDouble() - 1) * bound);
            case TOKEN -> (float) (0.02 * gaussian(random));
            case ZERO -> 0;
            case ONE -> 1;
          };
    }
    return values;
  }

  /** Box and Muller's transform: SplittableRandom's own nextGaussian may change between JDKs. */
  private static double gaussian(SplittableRandom random) {
    double u = 1 - random.nextDouble();
    return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * random.nextDouble());
  }
}
