package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.cli.SmallJob.Driver;
import org.mixtraining.results.RunRow;
import org.mixtraining.spark.PackagedJob;

/**
 * Drivers that are told to stop, and one that is killed while the state is in its executors alone.
 * By {@code mvn verify -Pend-to-end}: ten processes of Spark one after another.
 */
@Tag("end-to-end")
class StoppedDriversTest {
  private static final Map<String, String> ONE_PROCESS = Map.of("MASTER", "local[2]");
  private static final String SECRET = "never-to-be-printed";

  @TempDir static Path directory;
  private static SmallJob job;

  @BeforeAll
  static void train() {
    job = new SmallJob(directory);
    PackagedJob.assumeBuilt();
    job.here("calm");
  }

  /**
   * With two executor processes, and Spark's authentication and encryption, which change nothing
   * but the wire.
   */
  @Test
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

  /**
   * Between the rounds of an epoch the state is in the executors alone, which end with the driver.
   */
  @Test
  void aDriverThatIsKilledBetweenTheAveragesOfAnEpochGoesOnToTheSameEnd() throws Exception {
    String blocks = "averaging.exchange=blocks";
    Driver killed = job.start(Map.of(), "train", "killed-rounds", "-D", blocks);
    killed.await(() -> job.exists("killed-rounds", "epoch-00002"));
    Thread.sleep(300);
    killed.kill();
    assertThat(job.row("killed-rounds").status()).isEqualTo(RunRow.Status.RUNNING);

    Driver rest = job.start(ONE_PROCESS, "train", "killed-rounds", "-D", blocks);

    assertThat(rest.exit()).as(rest.said()).isZero();
    assertThat(rest.said())
        .contains(
            "run killed-rounds resumes after epoch ",
            "averages through the executors' block managers");
    assertThat(job.row("killed-rounds").stateSha256()).isEqualTo(job.row("calm").stateSha256());
  }
}
