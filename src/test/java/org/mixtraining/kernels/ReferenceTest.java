package org.mixtraining.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import java.util.Random;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;

/** The gradients of {@link Reference} are those of its forward functions. */
class ReferenceTest {
  private static final double EPS = 1e-5;

  @Test
  void layerNormGradients() {
    double[][] x = random(3, 7, 1);
    double[][] gain = random(1, 7, 2);
    double[][] bias = random(1, 7, 3);
    double[][] dy = random(3, 7, 4);
    var gradient = Reference.layerNormBackward(dy, x, gain, EPS);
    assertGradient(x, gradient.dx(), v -> weighted(Reference.layerNorm(v, gain, bias, EPS), dy));
    assertGradient(gain, gradient.dGain(), v -> weighted(Reference.layerNorm(x, v, bias, EPS), dy));
    assertGradient(bias, gradient.dBias(), v -> weighted(Reference.layerNorm(x, gain, v, EPS), dy));
  }

  @Test
  void geluDerivative() {
    double[][] x = {{-6, -2.5, -1, -0.1, 0, 0.3, 1, 3, 7}};
    double[][] derivative = new double[1][x[0].length];
    for (int j = 0; j < x[0].length; j++) {
      derivative[0][j] = Reference.geluDerivative(x[0][j]);
    }
    assertGradient(
        x,
        derivative,
        v -> {
          double sum = 0;
          for (double e : v[0]) {
            sum += Reference.gelu(e);
          }
          return sum;
        });
  }

  @Test
  void attentionGradients() {
    int tokens = 5;
    int heads = 2;
    double[][] qkv = random(2 * tokens, 3 * heads * 3, 1);
    double[][] dOut = random(2 * tokens, heads * 3, 2);
    assertGradient(
        qkv,
        Reference.attentionBackward(qkv, tokens, heads, dOut),
        v -> weighted(Reference.attention(v, tokens, heads), dOut));
  }

  @Test
  void crossEntropyGradient() {
    double[][] logits = random(4, 5, 1);
    double[][] target = {
      {0, 0, 1, 0, 0}, {0.1, 0.2, 0.3, 0.2, 0.2}, {0, 0, 0, 0, 0}, {1, 0, 0, 0, 0}
    };
    assertGradient(
        logits,
        Reference.crossEntropyBackward(logits, target),
        v -> Reference.crossEntropy(v, target));
  }

  private static double weighted(double[][] y, double[][] dy) {
    double sum = 0;
    for (int i = 0; i < y.length; i++) {
      for (int j = 0; j < y[0].length; j++) {
        sum += y[i][j] * dy[i][j];
      }
    }
    return sum;
  }

  private static void assertGradient(
      double[][] x, double[][] gradient, ToDoubleFunction<double[][]> loss) {
    double h = 1e-5;
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < x[0].length; j++) {
        double kept = x[i][j];
        x[i][j] = kept + h;
        double above = loss.applyAsDouble(x);
        x[i][j] = kept - h;
        double below = loss.applyAsDouble(x);
        x[i][j] = kept;
        assertThat((above - below) / (2 * h))
            .as("gradient at [%d, %d]", i, j)
            .isCloseTo(gradient[i][j], offset(1e-8));
      }
    }
  }

  private static double[][] random(int rows, int cols, long seed) {
    var random = new Random(seed);
    var a = new double[rows][cols];
    for (double[] row : a) {
      for (int j = 0; j < cols; j++) {
        row[j] = random.nextGaussian();
      }
    }
    return a;
  }
}
