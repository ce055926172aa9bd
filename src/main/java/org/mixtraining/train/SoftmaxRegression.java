package org.mixtraining.train;

import com.github.lbfgs4j.liblbfgs.Lbfgs;
import com.github.lbfgs4j.liblbfgs.LbfgsConstant.LBFGS_Param;
import com.github.lbfgs4j.liblbfgs.LbfgsConstant.ReturnValue;
import com.github.lbfgs4j.liblbfgs.MutableDouble;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.mixtraining.kernels.Engine;
import org.mixtraining.kernels.Matrix;

/**
 * Multinomial logistic regression on standardised features: the mean cross-entropy plus penalty/2
 * times the squared norm of the weights, minimised by L-BFGS (libLBFGS in Java). The problem is
 * convex, so neither a seed nor an order of images matters.
 */
final class SoftmaxRegression implements AutoCloseable {

  /**
   * Where a fit ends: the gradient's norm, by that of the parameters where they are longer than 1.
   * scikit-learn's; the sums in single precision would not carry much further.
   */
  static final double TOLERANCE = 1e-4;

  private static final int MOST_ITERATIONS = 2000;
  private static final int CHUNK = 2048;

  private final Engine engine;
  private final Standardization standardization;
  private final int images;
  private final int classes;
  private final Consumer<String> notes;
  private final List<Chunk> chunks = new ArrayList<>();

  /**
   * @param notes receives a message if a fit does not converge
   */
  SoftmaxRegression(
      Engine engine,
      Standardization standardization,
      Features training,
      int classes,
      Consumer<String> notes) {
    this.engine = engine;
    this.standardization = standardization;
    this.images = training.images();
    this.classes = classes;
    this.notes = notes;
    for (int from = 0; from < images; from += CHUNK) {
      chunks.add(new Chunk(training, from, Math.min(images, from + CHUNK)));
    }
  }

  /** Number of weights: [dim + 1, classes], the bias last. */
  int weights() {
    return (standardization.dim() + 1) * classes;
  }

  /** The weights with the least loss, found from others. */
  double[] minimize(double penalty, double[] from) {
    LBFGS_Param param = new LBFGS_Param(Lbfgs.defaultParams());
    param.epsilon = TOLERANCE;
    param.max_iterations = MOST_ITERATIONS;
    double[] at = from.clone();
    ReturnValue end =
        Lbfgs.lbfgs(
            at.length,
            at,
            new MutableDouble(),
            (instance, x, gradient, n, step) -> value(x, penalty, gradient),
            null,
            null,
            param);
    if (end != ReturnValue.LBFGS_SUCCESS && end != ReturnValue.LBFGS_ALREADY_MINIMIZED) {
      notes.accept(
          String.format(
              Locale.ROOT,
              "the linear probe with a penalty of %.0e did not converge: %s",
              penalty,
              end));
    }
    return at;
  }

  /**
   * Summed in the order of the chunks, in double precision.
   *
   * @param gradient out
   */
  private double value(double[] at, double penalty, double[] gradient) {
    int dim = standardization.dim();
    try (Matrix w = matrix(at, 0, dim, classes);
        Matrix bias = matrix(at, dim, dim + 1, classes)) {
      engine.parallel(chunks.size(), (thread, c) -> chunks.get(c).differentiate(w, bias));
    }
    double value = 0;
    Arrays.fill(gradient, 0);
    for (Chunk chunk : chunks) {
      value += chunk.loss;
      for (int i = 0; i < gradient.length; i++) {
        gradient[i] += chunk.gradient[i];
      }
    }
    double squares = 0;
    for (int i = 0; i < gradient.length; i++) {
      boolean isBias = i >= dim * classes;
      gradient[i] = gradient[i] / images + (isBias ? 0 : penalty * at[i]);
      squares += isBias ? 0 : at[i] * at[i];
    }
    return value / images + penalty / 2 * squares;
  }

  /** Rows {@code from} to {@code to} of a [·, classes] array. */
  static Matrix matrix(double[] values, int from, int to, int classes) {
    float[] rows = new float[(to - from) * classes];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = (float) values[from * classes + i];
    }
    return Matrix.copyOf(rows, 0, to - from, classes);
  }

  /** The loss and its gradient over some of the training images. */
  private final class Chunk implements AutoCloseable {
    private final Matrix x;
    private final Matrix target;
    private final Matrix logits;
    private final Matrix dLogits;
    private final Matrix dWeights;
    private final Matrix dBias = Matrix.allocate(1, classes);
    private final float[] gradient = new float[weights()];
    private double loss;

    Chunk(Features training, int from, int to) {
      x = standardization.rows(training, from, to);
      target = Matrix.allocate(x.rows(), classes);
      logits = Matrix.allocate(x.rows(), classes);
      dLogits = Matrix.allocate(x.rows(), classes);
      dWeights = Matrix.allocate(x.cols(), classes);
      for (int i = 0; i < x.rows(); i++) {
        target.set(i, training.labels()[from + i], 1);
      }
    }

    void differentiate(Matrix w, Matrix bias) {
      var kernels = engine.kernels();
      kernels.linear(x, w, bias, logits);
      loss = kernels.softmaxCrossEntropy(logits, target, 1, dLogits);
      kernels.linearWeightGradient(x, dLogits, dWeights);
      kernels.columnSum(dLogits, dBias);
      dWeights.read(gradient, 0);
      dBias.read(gradient, x.cols() * classes);
    }

    @Override
    public void close() {
      List.of(x, target, logits, dLogits, dWeights, dBias).forEach(Matrix::close);
    }
  }

  @Override
  public void close() {
    chunks.forEach(Chunk::close);
  }
}
