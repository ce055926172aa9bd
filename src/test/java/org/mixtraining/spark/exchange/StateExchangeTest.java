package org.mixtraining.spark.exchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
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
import org.junit.jupiter.params.provider.MethodSource;
import org.mixtraining.config.AveragingConfig.Exchange;
import org.mixtraining.config.OptimizerConfig.Betas;
import org.mixtraining.config.UserException;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.run.RoundAverage;
import org.mixtraining.run.TaskInfo;
import org.mixtraining.run.WorkerResult;
import org.mixtraining.spark.SparkRun;
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

  private static final Betas BETAS = new Betas(0.9, 0.95);

  /** Results of workers that saw so many images each. */
  private static List<WorkerResult> workers(long... images) {
    var random = new Random(1);
    List<WorkerResult> results = new ArrayList<>();
    for (int w = 0; w < images.length; w++) {
      ModelState state =
          new ModelState(
              Map.of(
                  "encoder", block(random, 3 * (1 << 16) + 17, 10 + w),
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

  /** Where an average ended. */
  private record Averaged(ModelState state, List<WorkerResult> reports) {}

  private static Averaged average(StateExchange exchange, List<WorkerResult> workers) {
    JavaRDD<WorkerResult> results = spark.parallelize(workers, workers.size());
    StateExchange.Held before = exchange.hold(spark, workers.get(0).state());
    try {
      StateExchange.Averaged averaged = exchange.average(results, before, BETAS);
      ModelState state = averaged.held().state();
      averaged.held().release();
      return new Averaged(state, averaged.reports());
    } finally {
      before.release();
      exchange.close();
    }
  }

  private static StateExchange blocks() {
    return new BlockExchange(Optional.empty());
  }

  @Test
  void allExchangesGiveTheSameBits() throws IOException {
    for (long[] images :
        new long[][] {{5}, {64, 64}, {100, 1, 37}, {0, 12, 0}, {3, 0, 9, 27, 81, 1, 1}}) {
      List<WorkerResult> workers = workers(images);

      var driver = average(new DriverExchange(), workers);
      var shuffle = average(new ShuffleExchange(Optional.empty()), workers);
      var blocks = average(blocks(), workers);

      assertThat(shuffle.state())
          .isEqualTo(driver.state())
          .isEqualTo(RoundAverage.of(workers, workers.get(0).state(), BETAS));
      assertThat(shuffle.state().sha256()).isEqualTo(driver.state().sha256());
      assertThat(blocks.state()).isEqualTo(driver.state());
      assertThat(blocks.state().sha256()).isEqualTo(driver.state().sha256());
      assertThat(bits(blocks.state())).isEqualTo(bits(driver.state()));
      assertThat(shuffle.reports()).isEqualTo(driver.reports());
      assertThat(blocks.reports()).isEqualTo(driver.reports());
      assertThat(shuffle.reports())
          .extracting(WorkerResult::metrics)
          .containsExactlyElementsOf(workers.stream().map(WorkerResult::metrics).toList());
    }
  }

  /** All values as bytes, of which −0 has others than 0. */
  private static byte[] bits(ModelState state) throws IOException {
    var bytes = new ByteArrayOutputStream();
    state.write(new DataOutputStream(bytes));
    return bytes.toByteArray();
  }

  @ParameterizedTest
  @MethodSource("notOfTheDriver")
  void reportsHoldNoValues(StateExchange exchange) {
    assertThat(average(exchange, workers(1, 2)).reports())
        .allSatisfy(report -> assertThat(report.state().bytes()).isZero())
        .extracting(report -> report.state().block("encoder").steps())
        .containsExactly(10L, 11L);
  }

  static List<StateExchange> notOfTheDriver() {
    return List.of(new ShuffleExchange(Optional.empty()), blocks());
  }

  @ParameterizedTest
  @MethodSource("notOfTheDriver")
  void withoutAnyImageThereIsNothingToAverage(StateExchange exchange) {
    assertThatThrownBy(() -> average(exchange, workers(0, 0)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("no worker has an image to train on");
  }

  @Test
  void aShuffleLeavesNothingOnTheDisks() throws Exception {
    Set<Object> before = registeredShuffles();

    average(new ShuffleExchange(Optional.empty()), workers(1, 2, 3));

    assertThat(before).containsAll(registeredShuffles());
  }

  @Test
  void blocksAreFreedAlsoAfterAFailure() throws Exception {
    average(blocks(), workers(1, 2, 3));
    assertThatThrownBy(() -> average(blocks(), workers(0, 0)))
        .isInstanceOf(IllegalArgumentException.class);

    long deadline = System.nanoTime() + 10_000_000_000L; // Spark frees them in the background
    while (!SparkRun.blocksOfRdds().isEmpty() && System.nanoTime() < deadline) {
      Thread.sleep(20);
    }
    assertThat(SparkRun.blocksOfRdds()).isEmpty();
  }

  @Test
  void slicesThatAreGoneAreToldAsLost() {
    JavaRDD<WorkerResult> results = spark.parallelize(workers(1, 2), 2);
    StateExchange.Held before = blocks().hold(spark, workers(1).get(0).state());
    StateExchange.Held mean = blocks().average(results, before, BETAS).held();
    mean.release();

    long deadline = System.nanoTime() + 10_000_000_000L;
    while (!SparkRun.blocksOfRdds().isEmpty() && System.nanoTime() < deadline) {
      Thread.onSpinWait();
    }
    assertThatThrownBy(mean::state)
        .isInstanceOf(SlicesLostException.class)
        .hasMessageMatching("rdd_\\d+_0 is no longer on BlockManagerId.*");
    before.release();
  }

  @Test
  void thisSparkHasWhatBlocksNeed() {
    assertThat(ExecutorBlocks.available()).isTrue();
    assertThat(SparkRun.blocksOfRdds()).isEmpty();
  }

  /** As runs of a comparison do that begin side by side. */
  @Test
  void itIsFoundOutByOneRunAtATime() {
    try (WorkerThreads threads = new WorkerThreads(4)) {
      threads.run(400, (thread, index) -> assertThat(ExecutorBlocks.available()).isTrue());
    }
  }

  private static Set<Object> registeredShuffles() {
    var tracker = (MapOutputTrackerMaster) SparkEnv.get().mapOutputTracker();
    return Set.copyOf(JavaConverters.setAsJavaSet(tracker.shuffleStatuses().keySet()));
  }

  @Test
  void slicesCoverAStateOnceAndInOrder() {
    ModelState state = workers(1).get(0).state();
    for (int count : List.of(1, 2, 7, 100)) {
      SliceLayout layout = SliceLayout.of(state, count);
      ModelState copy = layout.blank(state);
      int bytes = 0;
      for (int slice = count - 1; slice >= 0; slice--) {
        ByteBuffer cut = layout.cut(state, slice);
        bytes += cut.capacity();
        layout.paste(cut, slice, copy);
      }
      assertThat(copy).isEqualTo(state);
      assertThat(bytes).isEqualTo((int) state.bytes());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "auto,    2,  4, 1024, true,  'averages on the driver: 2 states of 4.0 MB each are at most 8.0 MB together'",
    "auto,    2,  4, 1024, false, 'averages on the driver: 2 states of 4.0 MB each are at most 8.0 MB together'",
    "auto,    3,  4, 1024, true,  'averages through the executors'' block managers: 3 states of 4.0 MB each are more than 8.0 MB together'",
    "auto,    2, 60, 1024, false, 'averages on the driver: 4 states of 60.0 MB, two of them the driver''s own, are less than 1/4 of its heap of 1024 MB'",
    "auto,    2, 69, 1024, false, 'averages by a Spark shuffle: 4 states of 69.0 MB, two of them the driver''s own, are more than 1/4 of its heap of 1024 MB'",
    "driver,  256, 69, 1024, true, averages on the driver: set by mixtraining.averaging.exchange",
    "blocks,  1, 1, 1024,   true, averages through the executors' block managers: set by mixtraining.averaging.exchange",
    "shuffle, 1, 1, 1024,   true, averages by a Spark shuffle: set by mixtraining.averaging.exchange"
  })
  void theChoiceTellsItsReason(
      String asked, int workers, long stateMB, long heapMB, boolean blocks, String reason) {
    var choice = choose(asked, workers, stateMB, heapMB, blocks);

    assertThat(choice.reason()).isEqualTo(reason);
    assertThat(choice.exchange())
        .isInstanceOf(
            reason.startsWith("averages on")
                ? DriverExchange.class
                : reason.startsWith("averages through")
                    ? BlockExchange.class
                    : ShuffleExchange.class);
  }

  @Test
  void blocksAreRefusedWhereSparkLacksThem() {
    assertThatThrownBy(() -> choose("blocks", 2, 60, 1024, false))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "mixtraining.averaging.exchange = blocks: this Spark's block managers lack methods that it uses, which Spark 3.5 has; set auto, driver or shuffle");
  }

  /** Spark would end the run's first epoch. */
  @Test
  void aDriverThatMayNotBeSentTheStatesDoesNotAverageThem() {
    assertThat(choose("auto", 2, 3, 1024, 6, true).reason())
        .isEqualTo(
            "averages through the executors' block managers: 2 states of 3.0 MB each, with 10 % for their serialisation, are more than spark.driver.maxResultSize = 6.0 MB");
    assertThat(choose("auto", 2, 3, 1024, 6, false).exchange()).isInstanceOf(ShuffleExchange.class);
    assertThat(choose("auto", 2, 3, 1024, 7, true).exchange()).isInstanceOf(DriverExchange.class);
    assertThatThrownBy(() -> choose("driver", 2, 3, 1024, 6, true))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "mixtraining.averaging.exchange = driver: 2 states of 3.0 MB each, with 10 % for their serialisation, are more than spark.driver.maxResultSize = 6.0 MB; set spark.driver.maxResultSize = 0 (no limit) or mixtraining.averaging.exchange = auto");
  }

  private static StateExchange.Choice choose(
      String asked, int workers, long stateMB, long heapMB, boolean blocks) {
    return choose(asked, workers, stateMB, heapMB, 1_000_000, blocks);
  }

  private static StateExchange.Choice choose(
      String asked, int workers, long stateMB, long heapMB, long resultsMB, boolean blocks) {
    return StateExchange.choose(
        Exchange.valueOf(asked.toUpperCase(Locale.ROOT)),
        workers,
        stateMB * 1_000_000,
        new StateExchange.Room(heapMB * 1_000_000, resultsMB * 1_000_000),
        blocks,
        Optional.empty());
  }
}
