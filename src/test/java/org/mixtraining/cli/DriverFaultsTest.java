package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.cli.SmallJob.Driver;
import org.mixtraining.results.RunRow;

/**
 * Drivers that are really killed: {@code submit/mixtraining} in processes of its own. It needs the
 * packaged job, as {@code mvn verify} makes it.
 */
@Tag("cluster")
@TestMethodOrder(
    MethodOrderer.OrderAnnotation.class) // the first run is what the others are held to
class DriverFaultsTest {
  /** No executor processes, which take the most time of a run so small. */
  private static final Map<String, String> ONE_PROCESS = Map.of("MASTER", "local[2]");

  private static final String SECRET = "never-to-be-printed";

  @TempDir static Path directory;
  private static SmallJob job;

  @BeforeAll
  static void prepare() throws Exception {
    job = new SmallJob(directory);
    assumeTrue(
        Files.exists(Path.of("target/mixtraining.jar"))
            && Files.isDirectory(Path.of("target/spark/jars")),
        "needs target/mixtraining.jar and target/spark, which mvn verify makes");
    List<String> words = job.words("mixtraining", "prepare");
    Printed prepared = Printed.by(words.subList(1, words.size()).toArray(String[]::new));
    assertThat(prepared.exitCode()).as(prepared.err()).isZero();
  }

  private static Driver train(String runId, String... more) throws IOException {
    return job.start(ONE_PROCESS, "train", runId, more);
  }

  private static void assertSameAsCalm(String runId) throws IOException {
    assertThat(job.row(runId).stateSha256()).isEqualTo(job.row("calm").stateSha256());
    assertThat(job.left(runId)).isEqualTo(job.left("calm"));
  }

  @Test
  @Order(1)
  void anUndisturbedRunFinishes() throws Exception {
    Driver driver = train("calm");

    assertThat(driver.exit()).as(driver.said()).isZero();
    assertThat(job.row("calm").progress().epochsDone()).isEqualTo(7);
    assertThat(job.left("calm"))
        .containsKeys("epochs-00001.parquet", "workers-00001.parquet", "best.safetensors")
        .doesNotContainKey("LOCK");
  }

  @Test
  @Order(2)
  void aDriverThatIsKilledInEachPhaseGoesOnToTheSameEnd() throws Exception {
    Driver inSsl = train("killed");
    inSsl.await(() -> job.exists("killed", "epoch-00001"));
    Thread.sleep(100);
    inSsl.kill();

    Driver inMix = train("killed");
    inMix.await(() -> job.exists("killed", "epoch-00002"));
    inMix.pause();
    Driver second = train("killed");
    assertThat(second.exit()).isEqualTo(4);
    assertThat(second.said()).contains("is training this run (last heartbeat");
    inMix.kill();
    assertThat(inMix.said()).contains("run killed resumes after epoch 1 of 7");

    Driver inCheckpoint = train("killed");
    inCheckpoint.await(
        () -> job.exists("killed", ".epoch-00004") || job.exists("killed", "epoch-00004"));
    inCheckpoint.kill();
    assertThat(job.row("killed").status()).isEqualTo(RunRow.Status.RUNNING);

    Driver last = train("killed", "--resume", "killed");
    assertThat(last.exit()).as(last.said()).isZero();
    assertThat(last.said())
        .contains("took over the run's lock from process ", "run killed resumes after epoch ");
    assertSameAsCalm("killed");

    Driver again = train("killed");
    assertThat(again.exit()).isZero();
    assertThat(again.said()).contains("run killed is already finished", "run killed finished: ");
  }

  /**
   * With two executor processes, and Spark's authentication and encryption, which change nothing
   * but the wire.
   */
  @Test
  @Order(3)
  void aDriverThatIsToldToStopLeavesACheckpointAndExitsWith3() throws Exception {
    Map<String, String> secured =
        Map.of(
            "JAVA_TOOL_OPTIONS",
            "-Dspark.authenticate=true -Dspark.network.crypto.enabled=true -Dspark.authenticate.secret="
                + SECRET);
    Driver driver = job.start(secured, "train", "told", "-D", "checkpoint.every=4");
    driver.await(
        () ->
            Files.exists(directory.resolve("runs/tables/epochs/run_id=told/epochs-00001.parquet")));
    driver.terminate();

    assertThat(driver.exit()).as(driver.said()).isEqualTo(3);
    assertThat(driver.said())
        .containsPattern(
            "run told was interrupted after [1-6] finished epochs; run the same command")
        .doesNotContain("\tat org.");
    assertThat(job.row("told").status()).isEqualTo(RunRow.Status.INTERRUPTED);
    assertThat(job.exists("told", "epoch-0000")).isTrue();
    assertThat(job.exists("told", "LOCK")).isFalse();

    Driver rest = job.start(secured, "train", "told", "-D", "checkpoint.every=1");
    assertThat(rest.exit()).as(rest.said()).isZero();
    assertThat(job.row("told").stateSha256()).isEqualTo(job.row("calm").stateSha256());
    try (var files = Files.walk(directory.resolve("runs"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
            .as(file.toString())
            .doesNotContain(SECRET);
      }
    }
  }

  @Test
  @Order(4)
  void aComparisonThatIsToldToStopLeavesEveryRunOfItAbleToGoOn() throws Exception {
    String[] two = {
      "-D", "compare.name=both",
      "-D", "compare.arms={ssl-sl {pipeline = ssl-sl}, mix {pipeline = mix}}",
      "-D", "compare.datasets={drawn {}}",
      "-D", "compare.parallel=2"
    };
    List<String> runs = List.of("both-drawn-f1-mix-s0", "both-drawn-f1-ssl-sl-s0");
    Driver driver = job.start(ONE_PROCESS, "compare", "ignored", two);
    driver.await(() -> runs.stream().allMatch(run -> job.exists(run, "epoch-00001")));
    driver.terminate();

    assertThat(driver.exit()).as(driver.said()).isEqualTo(3);
    for (String run : runs) {
      assertThat(job.row(run).status()).as(run).isEqualTo(RunRow.Status.INTERRUPTED);
      assertThat(job.exists(run, "LOCK")).as(run).isFalse();
    }

    Driver rest = job.start(ONE_PROCESS, "compare", "ignored", two);
    assertThat(rest.exit()).as(rest.said()).isZero();
    assertThat(rest.said()).contains("run " + runs.get(0) + " resumes after epoch ");
    assertThat(runs).allMatch(run -> job.row(run).status() == RunRow.Status.FINISHED);
    assertThat(job.row(runs.get(0)).stateSha256()).isEqualTo(job.row("calm").stateSha256());
  }

  /** The cluster's machines have a core each, and an executor is to have four. */
  @Test
  @Order(5)
  void aRunThatGetsNoExecutorSaysWhyAndGivesUp() throws Exception {
    Map<String, String> tooSmall =
        Map.of(
            "MASTER", "local-cluster[1,1,1024]", "JAVA_TOOL_OPTIONS", "-Dspark.executor.cores=4");
    Driver driver = job.start(tooSmall, "train", "alone", "-D", "workers.patience-minutes=0.05");

    assertThat(driver.exit()).as(driver.said()).isEqualTo(1);
    assertThat(driver.said())
        .contains("failed: IllegalStateException: no executor for ")
        .contains("cannot allocate one with 1024m of memory, 4 cores and no GPUs")
        .contains("timed out after mixtraining.workers.patience-minutes");
    assertThat(job.row("alone").status()).isEqualTo(RunRow.Status.FAILED);
  }

  /**
   * Between the rounds of an epoch the state is in the executors alone, which end with the driver.
   */
  @Test
  @Order(6)
  void aDriverThatIsKilledBetweenTheAveragesOfAnEpochGoesOnToTheSameEnd() throws Exception {
    String blocks = "averaging.exchange=blocks";
    Driver killed = job.start(Map.of(), "train", "killed-rounds", "-D", blocks);
    killed.await(() -> job.exists("killed-rounds", "epoch-00002"));
    Thread.sleep(300);
    killed.kill();
    assertThat(job.row("killed-rounds").status()).isEqualTo(RunRow.Status.RUNNING);

    Driver rest = train("killed-rounds", "-D", blocks);

    assertThat(rest.exit()).as(rest.said()).isZero();
    assertThat(rest.said())
        .contains("run killed-rounds resumes after epoch ", "averages by blocks of the executors");
    assertThat(job.row("killed-rounds").stateSha256()).isEqualTo(job.row("calm").stateSha256());
  }
}
