package org.mixtraining.train;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.mixtraining.kernels.Engine;
import org.mixtraining.kernels.Matrix;

/**
 * The linear probe on frozen features: a {@link SoftmaxRegression} on standardised features.
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

  private static final int CHUNK = 2048;

  private final Engine engine;
  private final int classes;
  private final Standardization standardization;
  private final List<String> notes = new ArrayList<>();
  private double[] weights; // [dim + 1, classes], the bias last

  private LinearProbe(Engine engine, Standardization standardization, int classes) {
    this.engine = engine;
    this.standardization = standardization;
    this.classes = classes;
  }

  /**
   * @param training labelled images, at least one
   * @param validation images to choose the penalty by; may be none
   */
  public static LinearProbe fit(
      Engine engine, Features training, Features validation, int classes) {
    if (validation.images() == 0) {
      return fit(engine, training, 1.0 / training.images(), classes);
    }
    LinearProbe probe = new LinearProbe(engine, Standardization.of(training), classes);
    try (SoftmaxRegression loss = probe.regression(training)) {
      probe.choose(loss, validation);
    }
    return probe;
  }

  /** A probe with a penalty that is given. */
  static LinearProbe fit(Engine engine, Features training, double penalty, int classes) {
    LinearProbe probe = new LinearProbe(engine, Standardization.of(training), classes);
    try (SoftmaxRegression loss = probe.regression(training)) {
      probe.weights = loss.minimize(penalty, new double[loss.weights()]);
    }
    return probe;
  }

  private SoftmaxRegression regression(Features training) {
    return new SoftmaxRegression(engine, standardization, training, classes, notes::add);
  }

  /** Warnings about the fit: that it ended too early, in iterations or penalties. */
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
  private void choose(SoftmaxRegression loss, Features validation) {
    SortedMap<Integer, Candidate> tried = new TreeMap<>();
    double[] zero = new double[loss.weights()];
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
          "the linear probe's best penalty, 1e%s, is at the end of the search range: one beyond it may be better"
              .formatted(best));
    }
    weights = tried.get(best).weights();
  }

  private Candidate candidate(
      SoftmaxRegression loss, int power, double[] from, Features validation) {
    weights = loss.minimize(Math.pow(10, power), from);
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
    int dim = standardization.dim();
    try (Matrix w = SoftmaxRegression.matrix(weights, 0, dim, classes);
        Matrix bias = SoftmaxRegression.matrix(weights, dim, dim + 1, classes)) {
      engine
          .workerThreads()
          .slices(
              predicted.length,
              CHUNK,
              (from, to) -> {
                try (Matrix x = standardization.rows(images, from, to);
                    Matrix logits = Matrix.allocate(x.rows(), classes)) {
                  engine.kernels().linear(x, w, bias, logits);
                  for (int i = 0; i < x.rows(); i++) {
                    predicted[from + i] = logits.largest(i);
                  }
                }
              });
    }
    return predicted;
  }
}
