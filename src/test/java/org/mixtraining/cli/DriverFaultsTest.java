package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
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
import org.mixtraining.spark.PackagedJob;

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

  @TempDir static Path directory;
  private static SmallJob job;

  @BeforeAll
  static void prepare() throws Exception {
    job = new SmallJob(directory);
    PackagedJob.assumeBuilt();
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

  /** The cluster's machines have a core each, and an executor is to have four. */
  @Test
  @Order(3)
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
}
