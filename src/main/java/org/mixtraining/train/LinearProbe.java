package org.mixtraining.train;

import com.github.lbfgs4j.liblbfgs.Lbfgs;
import com.github.lbfgs4j.liblbfgs.LbfgsConstant.LBFGS_Param;
import com.github.lbfgs4j.liblbfgs.LbfgsConstant.ReturnValue;
import com.github.lbfgs4j.liblbfgs.MutableDouble;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.mixtraining.kernels.Engine;
import org.mixtraining.kernels.Matrix;

/**
 * The linear probe on frozen features: multinomial logistic regression on standardised features,
 * the mean cross-entropy plus penalty/2 times the squared norm of the weights, minimised by L-BFGS
 * (libLBFGS in Java). The problem is convex, so neither a seed nor an order of images matters.
 *
 * <p>Penalties are the powers of ten from {@value #WEAKEST} to {@value #STRONGEST}, and on while
 * the best lies at an end. That which is best on the validation images is kept, the stronger of
 * equals. Without validation images it is 1/n of n images, scikit-learn's C of 1.
 */
public final class LinearProbe implements FeatureClassifier {

  /** Powers of ten. */
  static final int WEAKEST = -5;

  static final int STRONGEST = 1;

  /** How far an end may move. */
  private static final int FURTHER = 4;

  /**
   * Where a fit ends: the gradient's norm, by that of the parameters where they are longer than 1.
   * scikit-learn's; the sums in single precision would not carry much further.
   */
  static final double TOLERANCE = 1e-4;

  private static final int MOST_ITERATIONS = 2000;
  private static final int CHUNK = 2048;

  private final Engine engine;
  private final int classes;
  private final float[] mean;
  private final float[] scale;
  private final List<String> notes = new ArrayList<>();
  private double[] weights; // [dim + 1, classes], the bias last

  private LinearProbe(Engine engine, Features training, int classes) {
    this.engine = engine;
    this.classes = classes;
    this.mean = new float[training.dim()];
    this.scale = new float[training.dim()];
    standardise(training);
    this.weights = new double[(training.dim() + 1) * classes];
  }

  /**
   * @param training labelled images, at least one
   * @param validation images to choose the penalty by; may be none
   */
  public static LinearProbe fit(
      Engine engine, Features training, Features validation, int classes) {
    LinearProbe probe = new LinearProbe(engine, training, classes);
    try (Loss loss = probe.new Loss(training)) {
      if (validation.images() == 0) {
        probe.weights = loss.least(1.0 / training.images(), probe.weights);
      } else {
        probe.choose(loss, validation);
      }
    }
    return probe;
  }

  /** A probe with a penalty that is given. */
  static LinearProbe fit(Engine engine, Features training, double penalty, int classes) {
    LinearProbe probe = new LinearProbe(engine, training, classes);
    try (Loss loss = probe.new Loss(training)) {
      probe.weights = loss.least(penalty, probe.weights);
    }
    return probe;
  }

  /** What a person should know of the fit: that it ended too early, in iterations or penalties. */
  public List<String> notes() {
    return List.copyOf(notes);
  }

  /** [dim + 1, classes], of standardised features; the bias last. */
  double[] weights() {
    return weights.clone();
  }

  // --- the penalty -----------------------------------------------------------------------------

  private record Candidate(double[] weights, double accuracy) {}

  /** From the strongest on, each from the solution of its neighbour. */
  private void choose(Loss loss, Features validation) {
    SortedMap<Integer, Candidate> tried = new TreeMap<>();
    double[] zero = weights;
    for (int power = STRONGEST; power >= WEAKEST; power--) {
      double[] from = power == STRONGEST ? zero : tried.get(power + 1).weights();
      tried.put(power, candidate(loss, power, from, validation));
    }
    int best = best(tried);
    while (best == tried.firstKey() && best > WEAKEST - FURTHER) {
      tried.put(best - 1, candidate(loss, best - 1, tried.get(best).weights(), validation));
      best = best(tried);
    }
    while (best == tried.lastKey() && best < STRONGEST + FURTHER) {
      tried.put(best + 1, candidate(loss, best + 1, tried.get(best).weights(), validation));
      best = best(tried);
    }
    if (best == tried.firstKey() || best == tried.lastKey()) {
      notes.add(
          String.format(
              Locale.ROOT,
              "the linear probe's best penalty, 1e%d, is the last of those tried: another may be better",
              best));
    }
    weights = tried.get(best).weights();
  }

  private Candidate candidate(Loss loss, int power, double[] from, Features validation) {
    weights = loss.least(Math.pow(10, power), from);
    return new Candidate(weights, accuracy(validation));
  }

  private static int best(SortedMap<Integer, Candidate> tried) {
    int best = tried.lastKey();
    for (int power = best; power >= tried.firstKey(); power--) {
      if (tried.get(power).accuracy() > tried.get(best).accuracy()) {
        best = power;
      }
    }
    return best;
  }

  // --- prediction ------------------------------------------------------------------------------

  @Override
  public int[] predict(Features images) {
    int[] predicted = new int[images.images()];
    try (Matrix w = matrix(weights, 0, mean.length);
        Matrix bias = matrix(weights, mean.length, mean.length + 1)) {
      engine.parallel(
          chunks(images),
          (thread, chunk) -> {
            try (Matrix x = standardised(images, chunk);
                Matrix logits = Matrix.allocate(x.rows(), classes)) {
              engine.kernels().linear(x, w, bias, logits);
              for (int i = 0; i < x.rows(); i++) {
                predicted[chunk * CHUNK + i] = largest(logits, i);
              }
            }
          });
    }
    return predicted;
  }

  private static int largest(Matrix logits, int row) {
    int best = 0;
    for (int c = 1; c < logits.cols(); c++) {
      best = logits.get(row, c) > logits.get(row, best) ? c : best;
    }
    return best;
  }

  // --- training --------------------------------------------------------------------------------

  /** What is minimised, over all training images. */
  private final class Loss implements AutoCloseable {
    private final List<Chunk> chunks = new ArrayList<>();
    private final int images;

    Loss(Features training) {
      images = training.images();
      IntStream.range(0, chunks(training)).forEach(c -> chunks.add(new Chunk(training, c)));
    }

    /** Where it is least. */
    double[] least(double penalty, double[] from) {
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
        notes.add(
            String.format(
                Locale.ROOT,
                "the linear probe with a penalty of %.0e has not converged: %s",
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
      try (Matrix w = matrix(at, 0, mean.length);
          Matrix bias = matrix(at, mean.length, mean.length + 1)) {
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
        boolean isBias = i >= mean.length * classes;
        gradient[i] = gradient[i] / images + (isBias ? 0 : penalty * at[i]);
        squares += isBias ? 0 : at[i] * at[i];
      }
      return value / images + penalty / 2 * squares;
    }

    @Override
    public void close() {
      chunks.forEach(Chunk::close);
    }
  }

  /** Some of the training images, and what a gradient over them needs. */
  private final class Chunk implements AutoCloseable {
    private final Matrix x;
    private final Matrix target;
    private final Matrix logits;
    private final Matrix dLogits;
    private final Matrix dWeights;
    private final Matrix dBias = Matrix.allocate(1, classes);
    private final float[] gradient = new float[weights.length];
    private double loss;

    Chunk(Features training, int chunk) {
      x = standardised(training, chunk);
      target = Matrix.allocate(x.rows(), classes);
      logits = Matrix.allocate(x.rows(), classes);
      dLogits = Matrix.allocate(x.rows(), classes);
      dWeights = Matrix.allocate(x.cols(), classes);
      for (int i = 0; i < x.rows(); i++) {
        target.set(i, training.labels()[chunk * CHUNK + i], 1);
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

  // --- features --------------------------------------------------------------------------------

  private void standardise(Features training) {
    int dim = training.dim();
    for (int d = 0; d < dim; d++) {
      double sum = 0;
      double squares = 0;
      for (int i = d; i < training.values().length; i += dim) {
        sum += training.values()[i];
        squares += (double) training.values()[i] * training.values()[i];
      }
      double average = sum / training.images();
      double variance = Math.max(0, squares / training.images() - average * average);
      mean[d] = (float) average;
      scale[d] = (float) (1 / Math.sqrt(variance + 1e-6));
    }
  }

  private static int chunks(Features images) {
    return (images.images() + CHUNK - 1) / CHUNK;
  }

  private Matrix standardised(Features images, int chunk) {
    int from = chunk * CHUNK;
    int to = Math.min(images.images(), from + CHUNK);
    float[] values = new float[(to - from) * mean.length];
    for (int i = 0; i < values.length; i++) {
      int d = i % mean.length;
      values[i] = (images.values()[from * mean.length + i] - mean[d]) * scale[d];
    }
    Matrix rows = Matrix.allocate(to - from, mean.length);
    rows.write(values, 0);
    return rows;
  }

  /** Rows of a [·, classes] array. */
  private Matrix matrix(double[] values, int from, int to) {
    float[] rows = new float[(to - from) * classes];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = (float) values[from * classes + i];
    }
    Matrix mat = Matrix.allocate(to - from, classes);
    mat.write(rows, 0);
    return mat;
  }
}
