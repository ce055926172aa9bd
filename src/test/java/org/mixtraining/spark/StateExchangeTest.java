package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.spark.MapOutputTrackerMaster;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.config.AveragingConfig.Exchange;
import org.mixtraining.run.EpochAverage;
import org.mixtraining.run.TaskInfo;
import org.mixtraining.run.WorkerResult;
import org.mixtraining.train.EpochMetrics;
import org.mixtraining.vit.state.ModelState;
import org.mixtraining.vit.state.ModelState.Block;
import scala.collection.JavaConverters;

class StateExchangeTest {
  private static SparkSession session;
  private static JavaSparkContext spark;

  @BeforeAll
  static void start() {
    session =
        SparkSession.builder()
            .master("local[2, 2]")
            .config("spark.ui.enabled", false)
            .getOrCreate();
    session.sparkContext().setLogLevel("OFF");
    spark = JavaSparkContext.fromSparkContext(session.sparkContext());
  }

  @AfterAll
  static void stop() {
    session.stop();
  }

  /** Results of workers that saw so many images each. */
  private static List<WorkerResult> workers(long... images) {
    var random = new Random(1);
    List<WorkerResult> results = new ArrayList<>();
    for (int w = 0; w < images.length; w++) {
      ModelState state =
          new ModelState(
              Map.of(
                  "encoder", block(random, 3 * Slices.LENGTH + 17, 10 + w),
                  "head", block(random, 30, 3 * w),
                  "head-b", block(random, 31, w),
                  "head-nobodys", block(random, 5, w),
                  "empty", block(random, 0, 0)));
      SortedMap<String, Long> labels = new TreeMap<>(Map.of("head", images[w] / 2));
      if (w == 0) {
        labels.put("head-b", 1L);
      }
      var metrics = new EpochMetrics(images[w], labels, 0, w, 0, 0, 0, 0, 0, 0);
      results.add(
          new WorkerResult(w, state, metrics, new TaskInfo("h" + w, "0", "cpu", 1, 0, 1, -1, 0)));
    }
    return results;
  }

  private static Block block(Random random, int size, long steps) {
    return new Block(floats(random, size), floats(random, size), floats(random, size), steps);
  }

  private static float[] floats(Random random, int size) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = i % 7 == 0 ? -0f : (float) random.nextGaussian();
    }
    return values;
  }

  private static StateExchange.Averaged average(
      StateExchange exchange, List<WorkerResult> workers) {
    JavaRDD<WorkerResult> results = spark.parallelize(workers, workers.size());
    return exchange.average(results, workers.get(0).state());
  }

  @Test
  void bothExchangesGiveTheSameBits() {
    for (long[] images :
        new long[][] {{5}, {64, 64}, {100, 1, 37}, {0, 12, 0}, {3, 0, 9, 27, 81, 1, 1}}) {
      List<WorkerResult> workers = workers(images);

      var driver = average(new DriverExchange(), workers);
      var shuffle = average(new ShuffleExchange(), workers);

      assertThat(shuffle.state())
          .isEqualTo(driver.state())
          .isEqualTo(EpochAverage.of(workers, workers.get(0).state()));
      assertThat(shuffle.state().sha256()).isEqualTo(driver.state().sha256());
      assertThat(shuffle.reports()).isEqualTo(driver.reports());
      assertThat(shuffle.reports())
          .extracting(WorkerResult::metrics)
          .containsExactlyElementsOf(workers.stream().map(WorkerResult::metrics).toList());
    }
  }

  @Test
  void reportsHoldNoValues() {
    assertThat(average(new ShuffleExchange(), workers(1, 2)).reports())
        .allSatisfy(report -> assertThat(report.state().bytes()).isZero())
        .extracting(report -> report.state().block("encoder").steps())
        .containsExactly(10L, 11L);
  }

  @Test
  void withoutAnyImageThereIsNothingToAverage() {
    assertThatThrownBy(() -> average(new ShuffleExchange(), workers(0, 0)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("no worker has an image to train on");
  }

  @Test
  void aShuffleLeavesNothingOnTheDisks() throws Exception {
    Set<Object> before = registeredShuffles();

    average(new ShuffleExchange(), workers(1, 2, 3));

    assertThat(before).containsAll(registeredShuffles());
  }

  private static Set<Object> registeredShuffles() {
    var tracker = (MapOutputTrackerMaster) SparkEnv.get().mapOutputTracker();
    return Set.copyOf(JavaConverters.setAsJavaSet(tracker.shuffleStatuses().keySet()));
  }

  @Test
  void slicesCoverAStateOnceAndInOrder() {
    ModelState state = workers(1).get(0).state();
    Slices slices = new Slices(state);
    ModelState copy = EpochAverage.blank(workers(1), state);
    Slices target = new Slices(copy);

    assertThat(slices.count()).isEqualTo(21); // 3 · (4 + 1 + 1 + 1)
    for (int s = slices.count() - 1; s >= 0; s--) {
      target.write(s, slices.read(s));
    }
    assertThat(copy).isEqualTo(state);
  }

  @ParameterizedTest
  @CsvSource({
    "auto,    2, 60, 1024, 'averages on the driver: 4 states of 60.0 MB, two of them the driver''s own, are less than 1/4 of its heap of 1024 MB'",
    "auto,    2, 69, 1024, 'averages by a shuffle of slices: 4 states of 69.0 MB, two of them the driver''s own, are more than 1/4 of its heap of 1024 MB'",
    "driver,  256, 69, 1024, averages on the driver: set by mixtraining.averaging.exchange",
    "shuffle, 1, 1, 1024, averages by a shuffle of slices: set by mixtraining.averaging.exchange"
  })
  void theChoiceTellsItsReason(
      String asked, int workers, long stateMB, long heapMB, String reason) {
    var choice =
        StateExchange.choose(
            Exchange.valueOf(asked.toUpperCase(Locale.ROOT)),
            workers,
            stateMB * 1_000_000,
            heapMB * 1_000_000);

    assertThat(choice.reason()).isEqualTo(reason);
    assertThat(choice.exchange())
        .isInstanceOf(
            reason.startsWith("averages on") ? DriverExchange.class : ShuffleExchange.class);
  }
}
