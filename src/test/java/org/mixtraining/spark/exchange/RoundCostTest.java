package org.mixtraining.spark.exchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.OptimizerConfig.Betas;
import org.mixtraining.data.prepare.Prepare;
import org.mixtraining.run.TaskInfo;
import org.mixtraining.run.WorkerResult;
import org.mixtraining.spark.SmallRun;
import org.mixtraining.spark.SparkRun;
import org.mixtraining.vit.state.ModelState;

/**
 * What a round costs between executors in processes of their own, for the manual's page of
 * performance: run it with {@code mvn verify -Dit.test=RoundCostTest -Dintegration.tags=slow}. It
 * prints its measurements, which are of rounds after the first ones.
 */
@Tag("slow")
class RoundCostTest {
  private static final int COLD = 20;
  private static final int ROUNDS = 15;

  /** Steps of an epoch of vit-nano, each a round. */
  private static final int STEPS = 7;

  /** In the executors: where workers of these numbers end. */
  private static final Map<Integer, WorkerResult> ENDS = new ConcurrentHashMap<>();

  @TempDir static Path directory;

  @ParameterizedTest
  @ValueSource(ints = {2, 8})
  void anAverageOfVitTinyIsMeasured(int executors) throws Exception {
    try (SparkSession session = session(executors)) {
      var spark = JavaSparkContext.fromSparkContext(session.sparkContext());
      for (StateExchange exchange :
          List.of(new BlockExchange(Optional.empty()), new DriverExchange())) {
        averages(spark, exchange, executors);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 8})
  void aRoundOfVitNanoIsMeasured(int executors) throws Exception {
    try (SparkSession session = session(executors)) {
      var spark = JavaSparkContext.fromSparkContext(session.sparkContext());
      Prepare.run(session, config(executors, "driver").data(), Prepare.Existing.REFUSE, line -> {});
      for (String exchange : List.of("blocks", "driver")) {
        rounds(spark, config(executors, exchange), exchange);
      }
    }
  }

  private static SparkSession session(int executors) throws URISyntaxException {
    String jar = System.getProperty("mixtraining.jar", "");
    assumeTrue(!jar.isEmpty() && System.getenv("SPARK_HOME") != null, "as ClusterRunTest");
    Path tests =
        Path.of(RoundCostTest.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    SparkSession session =
        SparkSession.builder()
            .master("local-cluster[%s, 1, 1024]".formatted(executors))
            .config("spark.ui.enabled", false)
            .config("spark.sql.shuffle.partitions", 1)
            .config("spark.executor.extraClassPath", jar + ":" + tests)
            .config(
                "spark.executor.extraJavaOptions",
                "--add-modules=jdk.incubator.vector -XX:ActiveProcessorCount=2")
            .config("spark.scheduler.minRegisteredResourcesRatio", 1)
            .config("spark.scheduler.maxRegisteredResourcesWaitingTime", "120s")
            .getOrCreate();
    session.sparkContext().setLogLevel("OFF");
    return session;
  }

  // --- averages of vit-tiny's state, without any training ----------------------------------------

  private static void averages(JavaSparkContext spark, StateExchange exchange, int workers)
      throws Exception {
    var jobs = new Jobs();
    spark.sc().addSparkListener(jobs);
    var locations = new PreferredLocations(workers);
    StateExchange.Held held = exchange.hold(spark, ExchangeCostTest.state(0));
    List<Double> millis = new ArrayList<>();
    Duration cpu = Duration.ZERO;
    for (int round = 0; round < COLD + ROUNDS; round++) {
      if (round == COLD) {
        cpu = cpu();
        spark.sc().listenerBus().waitUntilEmpty();
        jobs.clear();
      }
      long start = System.nanoTime();
      StateExchange.Reader reader = held.reader();
      StateExchange.Averaged averaged =
          exchange.average(
              locations.numbers(spark).map(w -> end(w, reader)), held, new Betas(0.9, 0.999));
      held.release();
      held = averaged.held();
      millis.add((System.nanoTime() - start) / 1e6);
      locations.ranAt(averaged.reports());
    }
    Duration used = cpu().minus(cpu);
    spark.sc().listenerBus().waitUntilEmpty();
    long start = System.nanoTime();
    ModelState end = held.state();
    double fetch = (System.nanoTime() - start) / 1e6;
    held.release();
    spark.sc().removeSparkListener(jobs);
    assertThat(end.bytes()).isEqualTo(ExchangeCostTest.state(0).bytes());
    print(
        "%-14s %d workers, vit-tiny: %4.0f ms a round without training (%.0f to %.0f), %.0f ms of all processes' CPU time; the driver fetches the state in %.0f ms; %s",
        exchange.getClass().getSimpleName(),
        workers,
        median(millis.subList(COLD, millis.size())),
        millis.subList(COLD, millis.size()).stream().mapToDouble(m -> m).min().orElseThrow(),
        millis.subList(COLD, millis.size()).stream().mapToDouble(m -> m).max().orElseThrow(),
        used.toNanos() / 1e6 / ROUNDS,
        fetch,
        jobs.tasks());
  }

  /** Reads what a round begins with, and ends with what the worker always does. */
  private static WorkerResult end(int worker, StateExchange.Reader reader) {
    reader.read();
    WorkerResult end = ENDS.computeIfAbsent(worker, ExchangeCostTest::worker);
    SparkEnv env = SparkEnv.get();
    var task =
        new TaskInfo(
            env.blockManager().blockManagerId().host(), env.executorId(), "cpu", 1, 0, 1, 1, 1);
    return new WorkerResult(worker, end.state(), end.metrics(), task);
  }

  private static Duration cpu() {
    return ProcessHandle.current()
        .children()
        .map(child -> child.info().totalCpuDuration().orElse(Duration.ZERO))
        .reduce(
            ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO),
            Duration::plus);
  }

  // --- rounds of vit-nano ------------------------------------------------------------------------

  private static JobConfig config(int workers, String exchange) {
    return SmallRun.config(
        directory.resolve("images" + workers),
        "data.shards=" + Math.max(4, workers),
        "pipeline=ssl-sl",
        "epochs={ssl = 6, sl = 0}",
        "workers.count=" + workers,
        "averaging={exchange = %s, rounds = %s}".formatted(exchange, STEPS));
  }

  private static void rounds(JavaSparkContext spark, JobConfig config, String exchange)
      throws Exception {
    var jobs = new Jobs();
    spark.sc().addSparkListener(jobs);
    try (var run = new SparkRun(spark, config)) {
      run.train(run.initialState(), epoch -> {});
    }
    spark.sc().listenerBus().waitUntilEmpty();
    spark.sc().removeSparkListener(jobs);
    int each = exchange.equals("blocks") ? 2 : 1;
    List<Double> millis = new ArrayList<>();
    for (int round = STEPS; round < 6 * STEPS; round++) {
      if (round % STEPS != 0) { // between the rounds of an epoch
        millis.add((double) jobs.starts.get(each * round) - jobs.starts.get(each * (round - 1)));
      }
    }
    print(
        "%-14s %d workers, vit-nano: %4.0f ms a round of a step (quickest %.0f); %s",
        exchange,
        config.workers().count(),
        median(millis),
        millis.stream().mapToDouble(m -> m).min().orElseThrow(),
        jobs.tasks());
  }

  /** When jobs began, and what their tasks took. */
  private static final class Jobs extends SparkListener {
    private final List<Long> starts = new CopyOnWriteArrayList<>();
    private final List<SparkListenerTaskEnd> ends = new CopyOnWriteArrayList<>();

    @Override
    public void onJobStart(SparkListenerJobStart start) {
      starts.add(start.time());
    }

    @Override
    public void onTaskEnd(SparkListenerTaskEnd end) {
      ends.add(end);
    }

    void clear() {
      starts.clear();
      ends.clear();
    }

    String tasks() {
      return String.format(
          Locale.ROOT,
          "medians of tasks: %.0f ms, run %.0f, deserialize %.0f, CPU %.0f + %.0f",
          median(ends.stream().map(e -> (double) e.taskInfo().duration()).toList()),
          median(ends.stream().map(e -> (double) e.taskMetrics().executorRunTime()).toList()),
          median(
              ends.stream().map(e -> (double) e.taskMetrics().executorDeserializeTime()).toList()),
          median(ends.stream().map(e -> e.taskMetrics().executorCpuTime() / 1e6).toList()),
          median(
              ends.stream().map(e -> e.taskMetrics().executorDeserializeCpuTime() / 1e6).toList()));
    }
  }

  private static double median(List<Double> values) {
    return values.stream().sorted().skip(values.size() / 2).findFirst().orElseThrow();
  }

  private static void print(String format, Object... values) {
    System.out.printf(Locale.ROOT, format + "%n", values);
  }
}
