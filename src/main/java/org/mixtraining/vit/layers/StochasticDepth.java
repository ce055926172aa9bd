package org.mixtraining.vit.layers;

import java.util.SplittableRandom;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Seed;
import org.mixtraining.vit.Architecture;
import org.mixtraining.vit.layers.TokenLayout.Chunk;

/**
 * Stochastic depth (Huang et al., arXiv 1603.09382), per image as in timm: each of a block's two
 * branches is left out with the block's rate, and else counts the more, so that its mean stays.
 * What is left out depends on seed, epoch, image and block alone.
 *
 * @param layout of the block's rows
 * @param factors of {@link #factors}; null where nothing is left out
 */
public record StochasticDepth(TokenLayout layout, float[][] factors) {
  /** What a block adds to its input. */
  public enum Branch {
    ATTENTION,
    MLP
  }

  /** The rate of encoder block {@code i}: linearly growing, from 0 to the model's; 0 in SSL. */
  public static double rate(Architecture architecture, Objective objective, int i) {
    int depth = architecture.encoder().depth();
    boolean none = objective == Objective.SSL || depth == 1;
    return none ? 0 : architecture.dropPath() * i / (depth - 1);
  }

  /**
   * Factors on a block's branches.
   *
   * @param ids of the images
   * @return [images][branches], each 0 or 1 / (1 − rate)
   */
  public static float[][] factors(long seed, int epoch, long[] ids, String block, double rate) {
    float[][] factors = new float[ids.length][Branch.values().length];
    for (int i = 0; i < factors.length; i++) {
      SplittableRandom random = Seed.DEPTH.at(seed, epoch, ids[i], block.hashCode());
      for (int branch = 0; branch < factors[i].length; branch++) {
        factors[i][branch] = random.nextDouble() < rate ? 0 : (float) (1 / (1 - rate));
      }
    }
    return factors;
  }

  /** y = x + factor · (y − x), over a chunk's rows: y was x plus the branch. */
  void weigh(Chunk chunk, Branch branch, Matrix x, Matrix y) {
    if (factors == null) {
      return;
    }
    for (int row = 0; row < y.rows(); row++) {
      float factor = factor(chunk, branch, row);
      for (int col = 0; col < y.cols(); col++) {
        float base = x.get(row, col);
        y.set(row, col, base + factor * (y.get(row, col) - base));
      }
    }
  }

  /** factor · gradient, over a chunk's rows: where nothing is left out, the gradient itself. */
  Matrix scaled(TokenLayer.Worker worker, Chunk chunk, Branch branch, Matrix gradient) {
    if (factors == null) {
      return gradient;
    }
    Matrix scaled = worker.scratch("d-" + branch, gradient.rows(), gradient.cols());
    for (int row = 0; row < gradient.rows(); row++) {
      float factor = factor(chunk, branch, row);
      for (int col = 0; col < gradient.cols(); col++) {
        scaled.set(row, col, factor * gradient.get(row, col));
      }
    }
    return scaled;
  }

  private float factor(Chunk chunk, Branch branch, int row) {
    return factors[layout.firstImage(chunk) + row / chunk.tokens()][branch.ordinal()];
  }
}
