package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.ReplayListenerBus;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerApplicationEnd;
import org.apache.spark.scheduler.SparkListenerExecutorRemoved;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.ForkedJvm;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.prepare.Prepare;
import org.mixtraining.schedule.Objective;

/** What can be seen of a training from outside, while it lasts and afterwards. */
class TrainingPluginTest {
  private static final String METRIC =
      "metrics_mixtraining_driver_plugin_org_mixtraining_spark_TrainingPlugin_";

  @TempDir static Path directory;
  private static String afterLoss;
  private static final List<ExecutorProgress> HEARD = new CopyOnWriteArrayList<>();
  private static final Map<Objective, String> SCRAPED = new ConcurrentHashMap<>();

  @BeforeAll
  static void train() throws Exception {
    Path log = Files.createDirectory(directory.resolve("events"));
    SparkSession session =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", true)
            .config("spark.ui.port", 0)
            .config("spark.ui.showConsoleProgress", false)
            .config("spark.sql.shuffle.partitions", 1)
            .config("spark.eventLog.enabled", true)
            .config("spark.eventLog.dir", log.toUri().toString())
            .config("spark.plugins", TrainingPlugin.class.getName())
            .config(TrainingPlugin.EVERY, "20ms")
            .config("spark.metrics.namespace", "mixtraining")
            .config(
                "spark.metrics.conf.driver.sink.prometheusServlet.class",
                "org.apache.spark.metrics.sink.PrometheusServlet")
            .config("spark.metrics.conf.driver.sink.prometheusServlet.path", "/metrics/prometheus")
            .getOrCreate();
    session.sparkContext().setLogLevel("OFF");
    JobConfig config =
        SmallRun.config(directory.resolve("images"), "pipeline=mix", "data.synthetic.train=480");
    var scrape =
        HttpRequest.newBuilder(
                URI.create(session.sparkContext().uiWebUrl().get() + "/metrics/prometheus/"))
            .build();
    var http = HttpClient.newHttpClient();
    Prepare.run(session, config.data(), Prepare.Existing.REFUSE, line -> {});
    try (var run = new SparkRun(JavaSparkContext.fromSparkContext(session.sparkContext()), config);
        var listening =
            TrainingPlugin.listen(
                progress -> {
                  HEARD.add(progress);
                  progress
                      .workers()
                      .forEach(
                          worker ->
                              SCRAPED.computeIfAbsent(
                                  worker.plan().objective(), o -> answer(http, scrape)));
                })) {
      assertThat(listening).isNotNull();
      run.train(run.initialState(), epoch -> {});
      var bus = session.sparkContext().listenerBus();
      bus.post(new SparkListenerExecutorRemoved(0, "driver", "as if it were lost"));
      bus.waitUntilEmpty();
      afterLoss = answer(http, scrape);
    } finally {
      session.stop();
    }
  }

  private static String answer(HttpClient http, HttpRequest request) {
    try {
      return http.send(request, BodyHandlers.ofString()).body();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void executorsTellOfTheirWorkersStepsWhileTheyTrain() {
    List<WorkerProgress> told =
        HEARD.stream().flatMap(progress -> progress.workers().stream()).toList();

    assertThat(told).extracting(WorkerProgress::worker).contains(0, 1);
    assertThat(told)
        .allSatisfy(
            worker -> {
              assertThat(worker.done()).isBetween(1, worker.steps());
              assertThat(worker.soFar().steps()).isEqualTo(worker.done());
              assertThat(worker.imagesPerSecond()).isPositive();
            });
    assertThat(HEARD).last().satisfies(end -> assertThat(end.workers()).isEmpty());
    ExecutorProgress busy =
        HEARD.stream().filter(progress -> !progress.workers().isEmpty()).findFirst().orElseThrow();
    assertThat(busy.executor()).isEqualTo("driver");
    assertThat(busy.loss()).isPositive();
    assertThat(busy.waitShare()).isBetween(0.0, 1.0);
  }

  @Test
  void prometheusFindsThemInOneScrapeOfTheDriver() {
    assertThat(SCRAPED).isNotEmpty();
    assertThat(SCRAPED.values())
        .allSatisfy(
            page ->
                assertThat(page)
                    .containsPattern(METRIC + "executors_Value\\{type=\"gauges\"} 1\n")
                    .containsPattern(METRIC + "executor_driver_images_per_second_Value.* [0-9.]+\n")
                    .containsPattern(METRIC + "executor_driver_loss_Value.* [0-9.]+\n")
                    .containsPattern(METRIC + "executor_driver_wait_share_Value.* [0-9.E-]+\n")
                    .containsPattern(METRIC + "executor_driver_peak_rss_bytes_Value.* \\d{8,}\n"));
  }

  @Test
  void anExecutorThatIsLostIsShownNoMore() {
    assertThat(afterLoss)
        .containsPattern(METRIC + "executors_Value\\{type=\"gauges\"} 0\n")
        .doesNotContain(METRIC + "executor_driver");
  }

  @Test
  void theEventLogReplaysWithReadableJobs() throws Exception {
    List<String> jobs = new ArrayList<>();
    List<Long> ends = new ArrayList<>();
    var replay = new ReplayListenerBus();
    replay.addListener(
        new SparkListener() {
          @Override
          public void onJobStart(SparkListenerJobStart job) {
            jobs.add(job.properties().getProperty("spark.job.description", ""));
          }

          @Override
          public void onApplicationEnd(SparkListenerApplicationEnd end) {
            ends.add(end.time());
          }
        });
    try (var files = Files.list(directory.resolve("events"))) {
      Path log =
          files
              .filter(file -> !file.getFileName().toString().startsWith("."))
              .findFirst()
              .orElseThrow();
      try (InputStream in = Files.newInputStream(log)) {
        assertThat(replay.replay(in, "log", false, ReplayListenerBus.SELECT_ALL_FILTER())).isTrue();
      }
    }

    assertThat(jobs)
        .contains(
            "epoch 1/3 · SSL · train",
            "epoch 2/3 · MIX joint · train",
            "epoch 2/3 · MIX joint · evaluate",
            "epoch 3/3 · SL · train");
    assertThat(ends).hasSize(1);
  }

  /** Else one thread can begin with one of them while another begins with the other: a deadlock. */
  @Test
  void aProcessWithThePluginHasInitialisedTheClassesThatWaitForEachOther() throws Exception {
    String output = ForkedJvm.run(List.of("-Xlog:class+init=info"), Map.of(), OnlyThePlugin.class);
    assertThat(output)
        .containsPattern("Initializing 'org/bytedeco/javacpp/Loader'")
        .containsPattern("Initializing 'org/bytedeco/javacpp/Pointer'");
  }

  static final class OnlyThePlugin {
    private OnlyThePlugin() {}

    public static void main(String[] arguments) {
      new TrainingPlugin();
    }
  }
}
