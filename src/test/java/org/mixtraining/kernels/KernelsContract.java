package org.mixtraining.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.assertj.core.data.Offset.offset;

import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What every implementation of {@link Kernels} must compute, held against {@link Reference}. Every
 * matrix is a view inside a larger one of NaN, so that a read or write outside it shows.
 */
abstract class KernelsContract {
  private static final float EPS = 1e-5f;

  private final Kernels kernels = new CheckedKernels(kernels());
  private final Random random = new Random(7);
  private final Frames frames = new Frames();

  abstract Kernels kernels();

  @AfterEach
  void nothingOutsideTheMatricesWasTouched() {
    frames.assertIntact();
    frames.close();
  }

  @ParameterizedTest
  @CsvSource({"1,1,1", "1,5,3", "5,16,24", "17,9,65", "65,48,31", "130,192,40"})
  void linearAndItsGradients(int rows, int in, int out) {
    Matrix x = random(rows, in);
    Matrix w = random(in, out);
    Matrix bias = random(1, out);
    Matrix residual = random(rows, out);
    Matrix y = empty(rows, out);
    double[][] product = Reference.matmul(doubles(x), doubles(w));
    double[][] biased = Reference.plus(product, doubles(bias));

    kernels.matmul(x, w, y);
    assertClose(y, product);
    kernels.linear(x, w, bias, y);
    assertClose(y, biased);
    kernels.linearResidual(x, w, bias, residual, y);
    assertClose(y, Reference.plus(biased, doubles(residual)));

    Matrix dy = random(rows, out);
    Matrix dx = empty(rows, in);
    Matrix dw = empty(in, out);
    Matrix db = empty(1, out);
    kernels.linearInputGradient(dy, w, dx);
    kernels.linearWeightGradient(x, dy, dw);
    kernels.columnSum(dy, db);
    assertClose(dx, Reference.matmul(doubles(dy), Reference.transpose(doubles(w))));
    assertClose(dw, Reference.matmul(Reference.transpose(doubles(x)), doubles(dy)));
    assertClose(db, Reference.columnSum(doubles(dy)));

    Matrix dxAtOnce = empty(rows, in);
    Matrix dwAtOnce = empty(in, out);
    Matrix dbAtOnce = empty(1, out);
    kernels.linearBackward(x, w, dy, dxAtOnce, dwAtOnce, dbAtOnce);
    assertClose(dxAtOnce, doubles(dx));
    assertClose(dwAtOnce, doubles(dw));
    assertClose(dbAtOnce, doubles(db));
  }

  @ParameterizedTest
  @CsvSource({"1,1,1", "5,16,24", "17,9,65"})
  void linearGeluIsItsParts(int rows, int in, int out) {
    Matrix x = random(rows, in);
    Matrix w = random(in, out);
    Matrix bias = random(1, out);
    Matrix expectedDerivative = empty(rows, out);
    Matrix expected = empty(rows, out);
    kernels.matmul(x, w, expectedDerivative);
    kernels.biasGelu(expectedDerivative, bias, expected);

    Matrix derivative = empty(rows, out);
    Matrix y = empty(rows, out);
    kernels.linearGelu(x, w, bias, derivative, y);
    assertClose(y, doubles(expected));
    assertClose(derivative, doubles(expectedDerivative));

    Matrix dy = random(rows, out);
    Matrix parts = empty(rows, out);
    parts.copyFrom(dy);
    Matrix expectedBias = empty(1, out);
    kernels.biasGeluBackward(parts, derivative, expectedBias);
    Matrix dx = empty(rows, in);
    Matrix dw = empty(in, out);
    Matrix db = empty(1, out);
    kernels.linearGeluBackward(x, w, derivative, dy, dx, dw, db);
    assertClose(dx, Reference.matmul(doubles(parts), Reference.transpose(doubles(w))));
    assertClose(dw, Reference.matmul(Reference.transpose(doubles(x)), doubles(parts)));
    assertClose(db, doubles(expectedBias));
  }

  @Test
  void aWeightGradientCanBeSplitByColumns() {
    Matrix x = random(40, 24);
    Matrix dy = random(40, 20);
    Matrix dw = empty(24, 20);
    kernels.linearWeightGradient(x, dy.cols(0, 7), dw.cols(0, 7));
    kernels.linearWeightGradient(x, dy.cols(7, 20), dw.cols(7, 20));
    assertClose(dw, Reference.matmul(Reference.transpose(doubles(x)), doubles(dy)));
  }

  @ParameterizedTest
  @CsvSource({"1,1", "1,5", "3,8", "5,17", "65,48", "9,192"})
  void layerNormAndItsGradients(int rows, int dim) {
    Matrix x = random(rows, dim);
    Matrix gain = random(1, dim);
    Matrix bias = random(1, dim);
    Matrix y = empty(rows, dim);
    Matrix stats = empty(rows, 2);
    kernels.layerNorm(x, gain, bias, EPS, y, stats);
    assertClose(y, Reference.layerNorm(doubles(x), doubles(gain), doubles(bias), EPS));
    for (int r = 0; r < rows; r++) {
      double[] expected = Reference.stats(doubles(x)[r], EPS);
      assertThat((double) stats.get(r, 0)).isCloseTo(expected[0], offset(1e-6));
      assertThat((double) stats.get(r, 1)).isCloseTo(expected[1], offset(1e-5 * expected[1]));
    }

    Matrix dy = random(rows, dim);
    Matrix dx = empty(rows, dim);
    Matrix dGain = empty(1, dim);
    Matrix dBias = empty(1, dim);
    var expected = Reference.layerNormBackward(doubles(dy), doubles(x), doubles(gain), EPS);
    kernels.layerNormBackward(dy, x, stats, gain, null, dx, dGain, dBias);
    assertClose(dx, expected.dx());
    assertClose(dGain, expected.dGain());
    assertClose(dBias, expected.dBias());

    Matrix residual = random(rows, dim);
    double[][] sum = Reference.plus(expected.dx(), doubles(residual));
    kernels.layerNormBackward(dy, x, stats, gain, residual, dx, dGain, dBias);
    assertClose(dx, sum);
    assertClose(dGain, expected.dGain());
    kernels.layerNormBackward(dy, x, stats, gain, residual, residual, dGain, dBias);
    assertClose(residual, sum);
  }

  @Test
  void layerNormOfALargeMeanKeepsItsDigits() {
    Matrix x = random(4, 40);
    for (int r = 0; r < 4; r++) {
      for (int c = 0; c < 40; c++) {
        x.set(r, c, x.get(r, c) + 300);
      }
    }
    Matrix gain = random(1, 40);
    Matrix bias = random(1, 40);
    Matrix y = empty(4, 40);
    kernels.layerNorm(x, gain, bias, EPS, y, empty(4, 2));
    assertClose(y, Reference.layerNorm(doubles(x), doubles(gain), doubles(bias), EPS), 1e-4);
  }

  @ParameterizedTest
  @CsvSource({"1,1", "2,7", "5,64", "3,203"})
  void geluAndItsDerivative(int rows, int cols) {
    Matrix h = random(rows, cols, 3);
    Matrix bias = random(1, cols);
    Matrix y = empty(rows, cols);
    double[][] x = Reference.plus(doubles(h), doubles(bias));
    kernels.biasGelu(h, bias, y);
    assertGelu(x, y, h);
  }

  @Test
  void geluIsAccurateFromEndToEnd() {
    int steps = 4001;
    Matrix h = empty(1, steps);
    for (int i = 0; i < steps; i++) {
      h.set(0, i, (i - steps / 2) * 0.01f);
    }
    Matrix y = empty(1, steps);
    Matrix bias = empty(1, steps);
    bias.fill(0);
    double[][] x = doubles(h);
    kernels.biasGelu(h, bias, y);
    assertGelu(x, y, h);
  }

  private static void assertGelu(double[][] x, Matrix y, Matrix derivative) {
    for (int r = 0; r < x.length; r++) {
      for (int c = 0; c < x[0].length; c++) {
        double v = x[r][c];
        double tolerance = 1e-6 + 1e-6 * Math.max(0, v);
        assertThat((double) y.get(r, c))
            .as("gelu(%s)", v)
            .isCloseTo(Reference.gelu(v), offset(tolerance));
        assertThat((double) derivative.get(r, c))
            .as("gelu'(%s)", v)
            .isCloseTo(Reference.geluDerivative(v), offset(2e-6));
      }
    }
  }

  @Test
  void biasGeluBackwardMultipliesInPlaceAndSumsForTheBias() {
    Matrix dy = random(5, 19);
    Matrix derivative = random(5, 19);
    double[][] expected = doubles(dy);
    double[][] sums = new double[1][19];
    for (int r = 0; r < 5; r++) {
      for (int c = 0; c < 19; c++) {
        expected[r][c] *= derivative.get(r, c);
        sums[0][c] += expected[r][c];
      }
    }
    Matrix dBias = random(1, 19);
    kernels.biasGeluBackward(dy, derivative, dBias);
    assertClose(dy, expected);
    assertClose(dBias, sums);
  }

  @ParameterizedTest
  @CsvSource({
    "1,1,1,4",
    "1,5,1,16",
    "2,5,3,16",
    "3,8,2,7",
    "2,17,3,64",
    "1,17,2,16",
    "2,65,3,64",
    "1,65,1,5"
  })
  void attentionAndItsGradients(int images, int tokens, int heads, int width) {
    int dim = heads * width;
    Matrix qkv = random(images * tokens, 3 * dim);
    Matrix p = empty(images * heads * tokens, Kernels.probabilityStride(tokens));
    Matrix out = empty(images * tokens, dim);
    kernels.attention(qkv, tokens, heads, p, out);
    assertClose(out, Reference.attention(doubles(qkv), tokens, heads));
    for (int image = 0; image < images; image++) {
      for (int head = 0; head < heads; head++) {
        int row = (image * heads + head) * tokens;
        assertClose(
            p.rows(row, row + tokens).cols(0, tokens),
            Reference.probabilities(doubles(qkv), tokens, heads, image * tokens, head));
      }
    }
    for (int r = 0; r < p.rows(); r++) {
      for (int c = tokens; c < p.cols(); c++) {
        assertThat(p.get(r, c)).as("padding [%d, %d]", r, c).isZero();
      }
    }

    Matrix dOut = random(images * tokens, dim);
    Matrix dQkv = empty(images * tokens, 3 * dim);
    kernels.attentionBackward(qkv, tokens, heads, p, dOut, dQkv);
    assertClose(dQkv, Reference.attentionBackward(doubles(qkv), tokens, heads, doubles(dOut)));
  }

  @Test
  void attentionTakesScoresFarApart() {
    Matrix qkv = random(9, 3 * 16, 40);
    Matrix p = empty(9, Kernels.probabilityStride(9));
    Matrix out = empty(9, 16);
    kernels.attention(qkv, 9, 1, p, out);
    assertClose(out, Reference.attention(doubles(qkv), 9, 1), 1e-4);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 10, 37, 100})
  void softmaxCrossEntropyAndItsGradient(int classes) {
    int rows = 7;
    Matrix logits = random(rows, classes, 3);
    Matrix target = empty(rows, classes);
    target.fill(0);
    for (int r = 0; r < rows - 2; r++) {
      target.set(r, r % classes, 1);
    }
    for (int c = 0; c < classes; c++) { // a soft label; the last row has no label
      target.set(rows - 2, c, 1f / classes);
    }
    Matrix d = empty(rows, classes);
    double loss = kernels.softmaxCrossEntropy(logits, target, 0.25f, d);
    double expected = Reference.crossEntropy(doubles(logits), doubles(target));
    assertThat(loss).isCloseTo(expected, offset(1e-5 * (1 + expected)));
    assertClose(d, times(0.25, Reference.crossEntropyBackward(doubles(logits), doubles(target))));
  }

  @Test
  void crossEntropyOfCertainButWrongLogitsIsFinite() {
    Matrix logits = empty(1, 3);
    logits.fill(0);
    logits.set(0, 1, 200);
    Matrix target = empty(1, 3);
    target.fill(0);
    target.set(0, 0, 1);
    Matrix d = empty(1, 3);
    assertThat(kernels.softmaxCrossEntropy(logits, target, 1, d)).isCloseTo(200, offset(1e-3));
    assertClose(d, new double[][] {{-1, 1, 0}});
  }

  @ParameterizedTest
  @CsvSource({"1,1", "6,48", "13,27"})
  void maskedSquaredErrorAndItsGradient(int rows, int cols) {
    Matrix prediction = random(rows, cols);
    Matrix target = random(rows, cols);
    Matrix selected = empty(rows, 1);
    double[][] gradient = new double[rows][cols];
    for (int r = 0; r < rows; r++) {
      selected.set(r, 0, r % 3 == 1 ? 0 : 1);
      for (int c = 0; c < cols && r % 3 != 1; c++) {
        gradient[r][c] = 0.5 * 2 * ((double) prediction.get(r, c) - target.get(r, c));
      }
    }
    Matrix d = empty(rows, cols);
    double loss = kernels.maskedSquaredError(prediction, target, selected, 0.5f, d);
    double expected =
        Reference.squaredError(doubles(prediction), doubles(target), doubles(selected));
    assertThat(loss).isCloseTo(expected, offset(1e-5 * expected));
    assertClose(d, gradient);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 8, 100, 5003})
  void adamWFollowsTheTextbookOverSeveralSteps(int n) {
    double lr = 1e-3;
    double beta1 = 0.9;
    double beta2 = 0.95;
    double eps = 1e-8;
    Matrix m = empty(1, n);
    Matrix v = empty(1, n);
    m.fill(0);
    v.fill(0);
    double[] em = new double[n];
    double[] ev = new double[n];
    for (int step = 1; step <= 4; step++) {
      Matrix gradient = random(1, n, 0.01);
      double[][] expected = doubles(gradient);
      for (int j = 0; j < n; j++) {
        double g = expected[0][j];
        em[j] = beta1 * em[j] + (1 - beta1) * g;
        ev[j] = beta2 * ev[j] + (1 - beta2) * g * g;
        double mHat = em[j] / (1 - Math.pow(beta1, step));
        double vHat = ev[j] / (1 - Math.pow(beta2, step));
        expected[0][j] = lr * mHat / (Math.sqrt(vHat) + eps);
      }
      kernels.adamW(gradient, m, v, new AdamStep(lr, beta1, beta2, eps, step));
      assertClose(gradient, expected, 1e-8);
      assertClose(m, new double[][] {em}, 1e-8);
      assertClose(v, new double[][] {ev}, 1e-9);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 8, 100, 5003})
  void addScaledAddsAMultiple(int n) {
    assumeThat(kernels.name()).as("a GPU does it within its adamW").isNotEqualTo("cuda");
    Matrix x = random(1, n);
    Matrix y = random(1, n);
    double[][] expected = doubles(y);
    for (int j = 0; j < n; j++) {
      expected[0][j] += -0.3 * x.get(0, j);
    }

    kernels.addScaled(x, -0.3, y);

    assertClose(y, expected);
  }

  // --- matrices --------------------------------------------------------------------------------

  private Matrix empty(int rows, int cols) {
    return frames.frame(rows, cols);
  }

  private Matrix random(int rows, int cols) {
    return random(rows, cols, 1);
  }

  private Matrix random(int rows, int cols, double scale) {
    Matrix x = empty(rows, cols);
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < cols; c++) {
        x.set(r, c, (float) (random.nextGaussian() * scale));
      }
    }
    return x;
  }

  private static double[][] doubles(Matrix x) {
    var values = new double[x.rows()][x.cols()];
    for (int r = 0; r < x.rows(); r++) {
      for (int c = 0; c < x.cols(); c++) {
        values[r][c] = x.get(r, c);
      }
    }
    return values;
  }

  private static double[][] times(double factor, double[][] a) {
    for (double[] row : a) {
      for (int j = 0; j < row.length; j++) {
        row[j] *= factor;
      }
    }
    return a;
  }

  private static void assertClose(Matrix actual, double[][] expected) {
    double largest = 0;
    for (double[] row : expected) {
      for (double e : row) {
        largest = Math.max(largest, Math.abs(e));
      }
    }
    assertClose(actual, expected, 1e-5 * Math.max(largest, 0.1));
  }

  private static void assertClose(Matrix actual, double[][] expected, double tolerance) {
    assertThat(actual.rows()).isEqualTo(expected.length);
    assertThat(actual.cols()).isEqualTo(expected[0].length);
    for (int r = 0; r < expected.length; r++) {
      for (int c = 0; c < expected[0].length; c++) {
        if (!(Math.abs(actual.get(r, c) - expected[r][c]) <= tolerance)) { // also for NaN
          assertThat((double) actual.get(r, c))
              .as("[%d, %d]", r, c)
              .isCloseTo(expected[r][c], offset(tolerance));
        }
      }
    }
  }
}
