package org.mixtraining.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.config.OptimizerConfig.Betas;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.train.EpochMetrics;
import org.mixtraining.vit.state.ModelState;
import org.mixtraining.vit.state.ModelState.Block;

class RoundAverageTest {

  private static final Betas BETAS = new Betas(0.9, 0.999);

  @Test
  void parametersAndMomentsAreWeightedByImages() {
    ModelState average =
        average(
            List.of(
                worker(0, 300, block(new float[] {1, -2}, new float[] {4, 0}, new float[] {8, 1})),
                worker(1, 100, block(new float[] {5, 2}, new float[] {0, 8}, new float[] {0, 5}))));

    assertThat(average.blocks()).containsOnlyKeys("encoder");
    Block block = average.block("encoder");
    assertThat(block.parameters()).containsExactly(2, -1);
    assertThat(block.m()).containsExactly(3, 2);
    assertThat(block.v()).as("without steps there is no noise").containsExactly(6, 2);
  }

  /**
   * Each worker's gradients have the same mean, 0.5, and a deviation of 2; those of the whole batch
   * have half of that.
   */
  @ParameterizedTest
  @CsvSource({"0.9, 0.999, 1", "0.9, 0.999, 8", "0.9, 0.95, 4", "0, 0.9, 3"})
  void secondMomentsAreThoseOfOneWorkerOnWholeBatches(double beta1, double beta2, int steps) {
    int workers = 4;
    int values = 50_000;
    var random = new Random(7);
    float[][] m = new float[workers + 1][values];
    float[][] v = new float[workers + 1][values];
    Stream.of(v).forEach(moments -> Arrays.fill(moments, 1.25f)); // what whole batches come to
    for (int step = 0; step < steps; step++) {
      for (int i = 0; i < values; i++) {
        double whole = 0;
        for (int w = 0; w <= workers; w++) {
          double gradient = w < workers ? 0.5 + 2 * random.nextGaussian() : whole / workers;
          whole += gradient;
          m[w][i] = (float) (beta1 * m[w][i] + (1 - beta1) * gradient);
          v[w][i] = (float) (beta2 * v[w][i] + (1 - beta2) * gradient * gradient);
        }
      }
    }
    List<WorkerResult> results =
        IntStream.range(0, workers)
            .mapToObj(w -> worker(w, 8, state(new Block(m[w], m[w], v[w], 100 + steps))))
            .toList();
    float[] none = new float[values];

    Block average =
        RoundAverage.of(results, state(new Block(none, none, none, 100)), new Betas(beta1, beta2))
            .block("encoder");

    assertThat(mean(average.m())).isCloseTo(mean(m[workers]), withinPercentage(0.1));
    double plain = IntStream.range(0, workers).mapToDouble(w -> mean(v[w])).average().orElseThrow();
    assertThat(plain - mean(average.v()))
        .as("the noise that is taken out")
        .isCloseTo(plain - mean(v[workers]), withinPercentage(12));
    for (float value : average.v()) {
      assertThat(value).isPositive();
    }
  }

  private static double mean(float[] values) {
    double sum = 0;
    for (float value : values) {
      sum += value;
    }
    return sum / values.length;
  }

  private static ModelState state(Block encoder) {
    return new ModelState(Map.of("encoder", encoder));
  }

  @Test
  void everyBlockIsAveragedByItself() {
    Map<String, Block> one = Map.of("encoder", scalar(2, 10), "head", scalar(10, 4));
    Map<String, Block> other = Map.of("encoder", scalar(4, 10), "head", scalar(30, 4));

    ModelState average =
        average(List.of(worker(0, 50, new ModelState(one)), worker(1, 50, new ModelState(other))));

    assertThat(average.block("encoder")).isEqualTo(scalar(3, 10));
    assertThat(average.block("head")).isEqualTo(scalar(20, 4));
  }

  /**
   * 30 and 10 images; of them 1 and 3 with labels of one task, 4 and none with those of another.
   */
  @Test
  void aHeadIsWeightedByTheLabelledImagesOfItsTask() {
    Block encoder = scalar(0, 4);
    ModelState before = state(encoder, scalar(100, 0), scalar(200, 0), scalar(300, 5));
    var one =
        worker(
            0,
            30,
            Map.of("head-a", 1L, "head-b", 4L),
            state(scalar(4, 8), scalar(4, 8), scalar(-7, 8), scalar(1, 8)));
    var other =
        worker(
            1,
            10,
            Map.of("head-a", 3L),
            state(scalar(8, 4), scalar(8, 4), scalar(Float.NaN, 4), scalar(2, 8)));

    ModelState average = RoundAverage.of(List.of(one, other), before, BETAS);

    assertThat(average.block("encoder")).as("3/4 and 1/4").isEqualTo(scalar(5, 7));
    assertThat(average.block("head-a")).as("1/4 and 3/4").isEqualTo(scalar(7, 5));
    assertThat(average.block("head-b")).as("one alone").isEqualTo(scalar(-7, 8));
    assertThat(average.block("head-c")).as("nobody").isSameAs(before.block("head-c"));
  }

  private static ModelState state(Block encoder, Block a, Block b, Block c) {
    return new ModelState(Map.of("encoder", encoder, "head-a", a, "head-b", b, "head-c", c));
  }

  private static ModelState average(List<WorkerResult> results) {
    return RoundAverage.of(results, results.get(0).state(), BETAS);
  }

  @Test
  void stepsAreTheWeightedMeanRounded() {
    assertThat(steps(3, 10, 1, 3)).as("8.25").isEqualTo(8);
    assertThat(steps(1, 10, 3, 3)).as("4.75").isEqualTo(5);
    assertThat(steps(1, 3, 1, 4)).as("3.5").isEqualTo(4);
    assertThat(steps(64, 7, 32, 7)).as("7").isEqualTo(7);
  }

  private static long steps(long images0, long steps0, long images1, long steps1) {
    return average(
            List.of(worker(0, images0, scalar(0, steps0)), worker(1, images1, scalar(0, steps1))))
        .block("encoder")
        .steps();
  }

  @Test
  void aWorkerWithoutImagesIsIgnored() {
    var idle = worker(1, 0, scalar(Float.NaN, 1_000_000));

    ModelState average =
        average(List.of(worker(0, 10, scalar(1, 2)), idle, worker(2, 30, scalar(5, 2))));

    assertThat(average.block("encoder")).isEqualTo(scalar(4, 2));
  }

  @Test
  void ofOneWorkerWithImagesItIsThatWorkersState() {
    var only = worker(1, 7, scalar(0.1f, 3));

    assertThat(average(List.of(worker(0, 0, scalar(9, 9)), only))).isEqualTo(only.state());
  }

  @Test
  void withoutAnyImageThereIsNothingToAverage() {
    var idle = List.of(worker(0, 0, scalar(1, 1)), worker(1, 0, scalar(1, 1)));

    assertThatThrownBy(() -> average(idle))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("no worker has an image to train on");
  }

  @Test
  void whatFloatsWouldCancelSurvivesInTheSum() {
    var results =
        List.of(
            worker(0, 1, scalar(1e8f, 1)),
            worker(1, 1, scalar(1, 1)),
            worker(2, 1, scalar(-1e8f, 1)));

    assertThat(average(results).block("encoder").parameters()[0]).isCloseTo(1 / 3f, within(1e-7f));
  }

  /** More values than one slice of the parallel sum holds, and no multiple of it. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 8})
  void everyBitIsThatOfTheSumInWorkerOrder(int count) {
    var random = new Random(1);
    long[] images = {64, 1, 300};
    List<WorkerResult> results =
        List.of(
            worker(0, images[0], block(values(random), values(random), values(random))),
            worker(1, images[1], block(values(random), values(random), values(random))),
            worker(2, images[2], block(values(random), values(random), values(random))));

    Block average;
    try (var threads = new WorkerThreads(count)) {
      average = RoundAverage.of(results, results.get(0).state(), BETAS, threads).block("encoder");
    }

    for (int i = 0; i < average.parameters().length; i++) {
      double parameter = 0;
      double m = 0;
      double v = 0;
      for (int w = 0; w < images.length; w++) {
        Block block = results.get(w).state().block("encoder");
        parameter += images[w] / 365.0 * block.parameters()[i];
        m += images[w] / 365.0 * block.m()[i];
        v += images[w] / 365.0 * block.v()[i];
      }
      assertThat(average.parameters()[i]).isEqualTo((float) parameter);
      assertThat(average.m()[i]).isEqualTo((float) m);
      assertThat(average.v()[i]).isEqualTo((float) v);
    }
  }

  @Test
  void weightsAreSharesOfTheImages() {
    var results =
        List.of(
            worker(0, 30, scalar(0, 1)), worker(1, 0, scalar(0, 1)), worker(2, 10, scalar(0, 1)));

    assertThat(RoundAverage.weights(results, "encoder")).containsExactly(0.75, 0, 0.25);
  }

  private static float[] values(Random random) {
    float[] values = new float[(1 << 17) + 3];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static Block scalar(float parameter, long steps) {
    return new Block(new float[] {parameter}, new float[] {0}, new float[] {0}, steps);
  }

  private static Block block(float[] parameters, float[] m, float[] v) {
    return new Block(parameters, m, v, 1);
  }

  private static WorkerResult worker(int worker, long images, Block encoder) {
    return worker(worker, images, new ModelState(Map.of("encoder", encoder)));
  }

  private static WorkerResult worker(int worker, long images, ModelState state) {
    return worker(worker, images, Map.of("head", images), state);
  }

  private static WorkerResult worker(
      int worker, long images, Map<String, Long> labels, ModelState state) {
    var metrics = new EpochMetrics(images, new TreeMap<>(labels), 0, 1, 0, 0, 0, 0, 0, 0);
    return new WorkerResult(
        worker, state, metrics, new TaskInfo("host", "0", "cpu", 1, 0, 1, -1, 0));
  }
}
