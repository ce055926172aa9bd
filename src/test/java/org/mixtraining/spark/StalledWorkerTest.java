package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorAdded;
import org.apache.spark.scheduler.SparkListenerExecutorRemoved;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.prepare.Prepare;

/** Workers that hang as they read images: it needs what {@link ClusterRunTest} needs. */
@Tag("cluster")
class StalledWorkerTest {
  @TempDir Path directory;

  private SparkSession session() {
    SparkSession session =
        SparkSession.builder()
            .master("local-cluster[2, 1, 1024]")
            .config("spark.ui.enabled", false)
            .config("spark.sql.shuffle.partitions", 1)
            .config(
                "spark.executor.extraClassPath",
                PackagedJob.jar() + ":" + Path.of("target/test-classes").toAbsolutePath())
            .config("spark.executor.extraJavaOptions", "--add-modules=jdk.incubator.vector")
            .config("spark.scheduler.minRegisteredResourcesRatio", 1)
            .config("spark.scheduler.maxRegisteredResourcesWaitingTime", "60s")
            .config("spark.task.maxFailures", 8) // a slow machine may stall too
            .config("spark.hadoop.fs.hanging.impl", HangsTwice.class.getName())
            .config("spark.hadoop." + HangsTwice.DIRECTORY, directory.toString())
            .getOrCreate();
    session.sparkContext().setLogLevel("OFF");
    return session;
  }

  private JobConfig config(String scheme, double minutes) {
    return SmallRun.config(
        Path.of("unused"),
        "data.path=\"" + scheme + directory.resolve("images") + "\"",
        "workers={count = 2, stall-minutes = " + minutes + "}",
        "pipeline=sl",
        "epochs={ssl = 0, sl = 2}");
  }

  /** What the model is after each epoch. */
  private List<String> train(SparkSession session, JobConfig config) {
    List<String> states = new ArrayList<>();
    var spark = JavaSparkContext.fromSparkContext(session.sparkContext());
    try (var run = new SparkRun(spark, config)) {
      run.train(run.initialState(), epoch -> states.add(epoch.model().sha256()));
    }
    return states;
  }

  /** One fails and is tried again, and the process of the other ends and is replaced. */
  @Test
  void workersThatHangCostTimeButNoBitAndTheirStacksAreInTheLog() throws Exception {
    try (SparkSession session = session()) {
      Prepare.run(session, config("", 30).data(), Prepare.Existing.REFUSE, line -> {});
      List<String> undisturbed = train(session, config("", 30));
      var executors = new Executors();
      session.sparkContext().addSparkListener(executors);
      Files.createFile(directory.resolve(HangsTwice.UNTIL_INTERRUPTED));
      Files.createFile(directory.resolve(HangsTwice.FOR_EVER));

      assertThat(train(session, config("hanging://", 0.15))).isEqualTo(undisturbed).hasSize(2);

      session.sparkContext().listenerBus().waitUntilEmpty();
      assertThat(directory.resolve(HangsTwice.UNTIL_INTERRUPTED)).doesNotExist();
      assertThat(directory.resolve(HangsTwice.FOR_EVER)).doesNotExist();
      String logs = logs(session.sparkContext().applicationId());
      assertThat(logs)
          .containsPattern(
              "worker [01] has made no progress for \\d+ s \\(mixtraining.workers.stall-minutes\\); its thread is interrupted:\n    at ")
          .containsPattern("    at \\S*HangsTwice.hangUntilInterrupted")
          .containsPattern("hears of no interruption; this process ends:\n    at ")
          .containsPattern("    at \\S*HangsTwice.hangForEver");
      assertThat(executors.removed) // more than one where a new one is slow to begin
          .isNotEmpty()
          .containsOnly("Command exited with code 70");
      assertThat(executors.added.await(1, TimeUnit.MINUTES)).as("another one begins").isTrue();
    }
  }

  /** Of all executors of an application on this machine. */
  private static String logs(String application) throws IOException {
    StringBuilder all = new StringBuilder();
    try (var files = Files.walk(Path.of(System.getenv("SPARK_HOME"), "work", application))) {
      for (Path log : files.filter(file -> file.endsWith("stderr")).toList()) {
        all.append(Files.readString(log));
      }
    }
    return all.toString();
  }

  private static final class Executors extends SparkListener {
    private final List<String> removed = new CopyOnWriteArrayList<>();
    private final CountDownLatch added = new CountDownLatch(1);

    @Override
    public void onExecutorRemoved(SparkListenerExecutorRemoved executor) {
      removed.add(executor.reason());
    }

    @Override
    public void onExecutorAdded(SparkListenerExecutorAdded executor) {
      added.countDown();
    }
  }
}
