package org.mixtraining.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.mixtraining.kernels.Engine;

/** The linear probe and the nearest neighbours, on features whose best answer is known. */
class FeatureClassifierTest {
  private static Engine engine;

  @BeforeAll
  static void open() {
    engine = Engine.cpu(2);
  }

  @AfterAll
  static void close() {
    engine.close();
  }

  /** Class c lies around a direction of its own, far from the origin along feature 0. */
  private static Features clouds(long seed, int images, int classes, int dim, double spread) {
    Random centres = new Random(99);
    double[][] centre = new double[classes][dim];
    for (double[] c : centre) {
      for (int d = 0; d < dim; d++) {
        c[d] = centres.nextGaussian();
      }
    }
    Random random = new Random(seed);
    float[] values = new float[images * dim];
    int[] labels = IntStream.range(0, images).map(i -> i % classes).toArray();
    for (int i = 0; i < images; i++) {
      for (int d = 0; d < dim; d++) {
        values[i * dim + d] =
            (float) (centre[labels[i]][d] + spread * random.nextGaussian() + (d == 0 ? 1000 : 0));
      }
    }
    return new Features(values, labels);
  }

  private static Features of(int[] labels, float... values) {
    return new Features(values, labels);
  }

  @Test
  void theProbeToldByClassesThatALineSeparatesTellsThemAll() {
    LinearProbe probe =
        LinearProbe.fit(engine, clouds(1, 300, 5, 12, 0.2), clouds(2, 50, 5, 12, 0.2), 5);

    assertThat(probe.accuracy(clouds(3, 500, 5, 12, 0.2))).isEqualTo(1);
  }

  @Test
  void theProbeIsNotDeceivedByAFeatureThatIsLargeForAllImages() {
    // Without standardising, feature 0 would drown the others.
    Features training = clouds(1, 200, 3, 6, 0.3);

    LinearProbe probe = LinearProbe.fit(engine, training, of(new int[0]), 3);

    assertThat(probe.accuracy(clouds(4, 300, 3, 6, 0.3))).isGreaterThan(0.97);
  }

  @Test
  void theProbeOnNoiseIsRightByChanceOnly() {
    Features noise = clouds(1, 400, 4, 8, 1e5);

    LinearProbe probe = LinearProbe.fit(engine, noise, clouds(2, 400, 4, 8, 1e5), 4);

    assertThat(probe.accuracy(clouds(3, 2000, 4, 8, 1e5))).isBetween(0.2, 0.3);
  }

  @Test
  void theProbeEndsWhereAnIndependentDescentInDoublePrecisionEnds() {
    Features training = clouds(1, 120, 3, 4, 1.5);
    for (double penalty : new double[] {1, 0.1, 0.01}) {
      double[] expected = descent(standardised(training), training.labels(), 3, penalty);

      LinearProbe probe = LinearProbe.fit(engine, training, penalty, 3);

      assertThat(probe.notes()).isEmpty();
      double[] gradient =
          gradient(standardised(training), training.labels(), 3, penalty, probe.weights());
      double length = Math.max(1, norm(probe.weights()));
      assertThat(norm(gradient)).isLessThan(2 * SoftmaxRegression.TOLERANCE * length);
      // A convex function rises by at least the penalty's share of it around its least point.
      double near = 2 * SoftmaxRegression.TOLERANCE * length / penalty;
      assertThat(probe.weights()).containsExactly(expected, within(near));
    }
  }

  /** Newton-free on purpose: steps down the gradient, until nothing is left of it. */
  private static double[] descent(double[][] x, int[] labels, int classes, double penalty) {
    double[] weights = new double[(x[0].length + 1) * classes];
    double[] gradient = gradient(x, labels, classes, penalty, weights);
    for (int i = 0; i < 200_000 && norm(gradient) > 1e-9; i++) {
      for (int j = 0; j < weights.length; j++) {
        weights[j] -= 0.4 * gradient[j];
      }
      gradient = gradient(x, labels, classes, penalty, weights);
    }
    return weights;
  }

  private static double[] gradient(
      double[][] x, int[] labels, int classes, double penalty, double[] weights) {
    int dim = x[0].length;
    double[] gradient = new double[weights.length];
    for (int i = 0; i < x.length; i++) {
      double[] p = new double[classes];
      double sum = 0;
      for (int c = 0; c < classes; c++) {
        double logit = weights[dim * classes + c];
        for (int d = 0; d < dim; d++) {
          logit += x[i][d] * weights[d * classes + c];
        }
        p[c] = Math.exp(logit);
        sum += p[c];
      }
      for (int c = 0; c < classes; c++) {
        double error = (p[c] / sum - (c == labels[i] ? 1 : 0)) / x.length;
        gradient[dim * classes + c] += error;
        for (int d = 0; d < dim; d++) {
          gradient[d * classes + c] += error * x[i][d];
        }
      }
    }
    for (int j = 0; j < dim * classes; j++) {
      gradient[j] += penalty * weights[j];
    }
    return gradient;
  }

  private static double[][] standardised(Features features) {
    double[][] x = new double[features.images()][features.dim()];
    for (int d = 0; d < features.dim(); d++) {
      double mean = 0;
      double variance = 0;
      for (int i = 0; i < x.length; i++) {
        x[i][d] = features.values()[i * features.dim() + d];
        mean += x[i][d] / x.length;
      }
      for (double[] row : x) {
        row[d] -= mean;
        variance += row[d] * row[d] / x.length;
      }
      for (double[] row : x) {
        row[d] /= Math.sqrt(variance);
      }
    }
    return x;
  }

  private static double norm(double[] values) {
    return Math.sqrt(Arrays.stream(values).map(v -> v * v).sum());
  }

  @Test
  void penaltiesGoOnWhereTheBestLiesAtAnEnd() {
    // Two clouds that hardly overlap along one of many directions: only weak penalties find it.
    Features training = thin(1, 4000);

    LinearProbe probe = LinearProbe.fit(engine, training, thin(2, 4000), 2);

    assertThat(probe.notes()).isEmpty();
    assertThat(probe.accuracy(thin(3, 4000))).isGreaterThan(0.95);
  }

  /** The class is the sign of a small difference of two features that are large and alike. */
  private static Features thin(long seed, int images) {
    Random random = new Random(seed);
    float[] values = new float[2 * images];
    int[] labels = new int[images];
    for (int i = 0; i < images; i++) {
      double both = random.nextGaussian();
      double difference = 1e-2 * random.nextGaussian();
      labels[i] = difference > 0 ? 1 : 0;
      values[2 * i] = (float) (both + difference);
      values[2 * i + 1] = (float) (both - difference);
    }
    return new Features(values, labels);
  }

  @Test
  void theProbeDoesNotDependOnTheOrderOfImagesOrOnThreads() {
    Features training = clouds(1, 3000, 3, 6, 2);
    Features reversed =
        Features.concat(
            IntStream.range(0, 3000)
                .map(i -> 2999 - i)
                .mapToObj(
                    i ->
                        of(
                            new int[] {training.labels()[i]},
                            Arrays.copyOfRange(training.values(), 6 * i, 6 * i + 6)))
                .toList());
    Features validation = clouds(2, 300, 3, 6, 2);
    Features test = clouds(3, 1000, 3, 6, 2);

    int[] predicted = LinearProbe.fit(engine, training, validation, 3).predict(test);

    try (Engine one = Engine.cpu(1)) {
      assertThat(LinearProbe.fit(one, training, validation, 3).predict(test)).isEqualTo(predicted);
    }
    int[] other = LinearProbe.fit(engine, reversed, validation, 3).predict(test);
    assertThat(IntStream.range(0, 1000).filter(i -> other[i] == predicted[i]).count())
        .isGreaterThanOrEqualTo(995);
  }

  @Test
  void theNearestNeighbourCountsMostAndLengthDoesNotCount() {
    // Twenty neighbours: nineteen of class 0 at 60 degrees, one of class 1 in the very direction.
    float[] values = new float[40];
    for (int i = 0; i < 19; i++) {
      values[2 * i] = 100 * 0.5f;
      values[2 * i + 1] = 100 * 0.8660254f;
    }
    values[38] = 0.01f;
    int[] labels = new int[20];
    labels[19] = 1;

    var neighbours = new NearestNeighbours(engine, of(labels, values), 2);

    // exp(1 / 0.07) against 19 exp(0.5 / 0.07)
    assertThat(neighbours.predict(of(new int[1], 7, 0))).containsExactly(1);
    assertThat(neighbours.predict(of(new int[1], 0, 7))).containsExactly(0);
  }

  @Test
  void onlyTheTwentyNearestVote() {
    // 20 images of class 1 at a cosine of 0.9, 1000 of class 0 hardly further away.
    int far = 1000;
    float[] values = new float[2 * (20 + far)];
    int[] labels = new int[20 + far];
    for (int i = 0; i < labels.length; i++) {
      double cosine = i < 20 ? 0.9 : 0.89;
      values[2 * i] = (float) cosine;
      values[2 * i + 1] = (float) Math.sqrt(1 - cosine * cosine);
      labels[i] = i < 20 ? 1 : 0;
    }

    var neighbours = new NearestNeighbours(engine, of(labels, values), 2);

    assertThat(neighbours.predict(of(new int[1], 1, 0))).containsExactly(1);
  }

  @Test
  void fewerImagesThanNeighboursAreEnough() {
    var neighbours = new NearestNeighbours(engine, of(new int[] {0, 1}, 1, 0, 0, 1), 2);

    assertThat(neighbours.predict(of(new int[3], 1, 0.1f, 0.1f, 1, 2, 1))).containsExactly(0, 1, 0);
  }

  @Test
  void accuracyIsTheShareOfImagesToldRightAndUnknownOfNone() {
    FeatureClassifier first = images -> new int[] {0, 0, 0, 0};

    assertThat(first.accuracy(of(new int[] {0, 1, 2, 0}, 1, 2, 3, 4))).isEqualTo(0.5);
    assertThat(first.accuracy(of(new int[0]))).isNaN();
  }
}
