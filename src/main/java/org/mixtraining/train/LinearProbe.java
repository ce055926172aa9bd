package org.mixtraining.train;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.mixtraining.kernels.Engine;
import org.mixtraining.kernels.Mat;

/**
 * The linear probe on frozen features: multinomial logistic regression on standardised features,
 * the mean cross-entropy plus penalty/2 times the squared norm of the weights, minimised by
 * full-batch Adam. The problem is convex, so neither a seed nor an order of images matters.
 *
 * <p>Each of {@link #PENALTIES} starts from the solution of the one before; the one that is best on
 * the validation images is kept, the stronger of equals. Without validation images it is the last.
 */
public final class LinearProbe implements FeatureClassifier {

  static final double[] PENALTIES = {1, 0.1, 0.01, 1e-3};

  private static final int STEPS = 150;
  private static final double RATE = 0.03;
  private static final int CHUNK = 2048;

  private final Engine engine;
  private final int classes;
  private final float[] mean;
  private final float[] scale;
  private float[] weights; // [dim + 1, classes], the bias last

  private LinearProbe(Engine engine, Features training, int classes) {
    this.engine = engine;
    this.classes = classes;
    this.mean = new float[training.dim()];
    this.scale = new float[training.dim()];
    standardise(training);
    this.weights = new float[(training.dim() + 1) * classes];
  }

  /**
   * @param training labelled images, at least one
   * @param validation images to choose the penalty by; may be none
   */
  public static LinearProbe fit(
      Engine engine, Features training, Features validation, int classes) {
    LinearProbe probe = new LinearProbe(engine, training, classes);
    float[] best = probe.weights;
    double bestAccuracy = -1;
    for (double penalty : PENALTIES) {
      probe.minimise(training, penalty);
      double accuracy = validation.images() == 0 ? bestAccuracy : probe.accuracy(validation);
      if (accuracy > bestAccuracy || validation.images() == 0) {
        best = probe.weights.clone();
        bestAccuracy = accuracy;
      }
    }
    probe.weights = best;
    return probe;
  }

  @Override
  public int[] predict(Features images) {
    int[] predicted = new int[images.images()];
    try (Mat w = matrix(weights, 0, mean.length);
        Mat bias = matrix(weights, mean.length, mean.length + 1)) {
      engine.parallel(
          chunks(images),
          (thread, chunk) -> {
            try (Mat x = standardised(images, chunk);
                Mat logits = Mat.allocate(x.rows(), classes)) {
              engine.kernels().linear(x, w, bias, logits);
              for (int i = 0; i < x.rows(); i++) {
                predicted[chunk * CHUNK + i] = largest(logits, i);
              }
            }
          });
    }
    return predicted;
  }

  private static int largest(Mat logits, int row) {
    int best = 0;
    for (int c = 1; c < logits.cols(); c++) {
      best = logits.get(row, c) > logits.get(row, best) ? c : best;
    }
    return best;
  }

  // --- training --------------------------------------------------------------------------------

  private void minimise(Features training, double penalty) {
    List<Chunk> chunks = new ArrayList<>();
    try (Mat m = Mat.allocate(1, weights.length);
        Mat v = Mat.allocate(1, weights.length);
        Mat step = Mat.allocate(1, weights.length)) {
      IntStream.range(0, chunks(training)).forEach(c -> chunks.add(new Chunk(training, c)));
      for (int s = 0; s < STEPS; s++) {
        step.write(gradient(chunks, training.images(), penalty), 0);
        double rate = RATE * 0.5 * (1 + Math.cos(Math.PI * s / STEPS));
        engine.kernels().adamW(step, m, v, rate, 0.9, 0.999, 1e-8, s + 1);
        float[] change = new float[weights.length];
        step.read(change, 0);
        for (int i = 0; i < weights.length; i++) {
          weights[i] -= change[i];
        }
      }
    } finally {
      chunks.forEach(Chunk::close);
    }
  }

  /** Summed in the order of the chunks, in double precision. */
  private float[] gradient(List<Chunk> chunks, int images, double penalty) {
    try (Mat w = matrix(weights, 0, mean.length);
        Mat bias = matrix(weights, mean.length, mean.length + 1)) {
      engine.parallel(chunks.size(), (thread, c) -> chunks.get(c).differentiate(w, bias));
    }
    double[] sum = new double[weights.length];
    for (Chunk chunk : chunks) {
      for (int i = 0; i < sum.length; i++) {
        sum[i] += chunk.gradient[i];
      }
    }
    float[] gradient = new float[sum.length];
    for (int i = 0; i < sum.length; i++) {
      boolean isBias = i >= mean.length * classes;
      gradient[i] = (float) (sum[i] / images + (isBias ? 0 : penalty * weights[i]));
    }
    return gradient;
  }

  /** Some of the training images, and what a gradient over them needs. */
  private final class Chunk implements AutoCloseable {
    private final Mat x;
    private final Mat target;
    private final Mat logits;
    private final Mat dLogits;
    private final Mat dWeights;
    private final Mat dBias = Mat.allocate(1, classes);
    private final float[] gradient = new float[weights.length];

    Chunk(Features training, int chunk) {
      x = standardised(training, chunk);
      target = Mat.allocate(x.rows(), classes);
      logits = Mat.allocate(x.rows(), classes);
      dLogits = Mat.allocate(x.rows(), classes);
      dWeights = Mat.allocate(x.cols(), classes);
      for (int i = 0; i < x.rows(); i++) {
        target.set(i, training.labels()[chunk * CHUNK + i], 1);
      }
    }

    void differentiate(Mat w, Mat bias) {
      var kernels = engine.kernels();
      kernels.linear(x, w, bias, logits);
      kernels.softmaxCrossEntropy(logits, target, 1, dLogits);
      kernels.linearWeightGradient(x, dLogits, dWeights);
      kernels.columnSum(dLogits, dBias);
      dWeights.read(gradient, 0);
      dBias.read(gradient, x.cols() * classes);
    }

    @Override
    public void close() {
      List.of(x, target, logits, dLogits, dWeights, dBias).forEach(Mat::close);
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

  private Mat standardised(Features images, int chunk) {
    int from = chunk * CHUNK;
    int to = Math.min(images.images(), from + CHUNK);
    float[] values = new float[(to - from) * mean.length];
    for (int i = 0; i < values.length; i++) {
      int d = i % mean.length;
      values[i] = (images.values()[from * mean.length + i] - mean[d]) * scale[d];
    }
    Mat rows = Mat.allocate(to - from, mean.length);
    rows.write(values, 0);
    return rows;
  }

  /** Rows of a [·, classes] array. */
  private Mat matrix(float[] values, int from, int to) {
    Mat mat = Mat.allocate(to - from, classes);
    mat.write(values, from * classes);
    return mat;
  }
}
