package org.mixtraining.vit;

import java.util.SplittableRandom;
import org.mixtraining.vit.state.ModelState;

/**
 * One named parameter of a model, and where its values lie in the {@link ModelState}: row-major.
 *
 * @param layer its layer's name
 * @param name its own within the layer, such as {@code qkv.weight}
 * @param rows for a weight matrix the input width, else 1
 * @param cols for a weight matrix the output width
 * @param init how it begins
 * @param block of the state
 * @param at its first value in that block
 */
public record Tensor(
    String layer, String name, int rows, int cols, Init init, String block, int at) {

  /** How a parameter begins. */
  enum Init {
    /** A weight matrix: uniform in ±√(6 / (rows + cols)) (Glorot and Bengio, 2010). */
    XAVIER,
    /** A token: normal with standard deviation 0.02. */
    TOKEN,
    ZERO,
    ONE
  }

  /** Its name in the model, such as {@code encoder-0.qkv.weight}. */
  public String path() {
    return layer + "." + name;
  }

  public int size() {
    return rows * cols;
  }

  /** Whether it is a weight matrix: only those decay. */
  public boolean decays() {
    return init == Init.XAVIER;
  }

  /** Its shape as messages say it. */
  public String shape() {
    return rows == 1 ? "" + cols : "%s x %s".formatted(rows, cols);
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
