package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.checkpoint.Checkpoints;
import org.mixtraining.checkpoint.RunLock;
import org.mixtraining.results.RunRow;
import org.mixtraining.results.Tables;

/**
 * {@code submit/yarn} on YARN, with data, tables and checkpoints on an HDFS of two NameNodes, one
 * of which takes over from the other midway. By {@code mvn verify -Pyarn}.
 */
@Tag("yarn")
class YarnTest {
  private static final String RUNS = "hdfs://ours/runs";

  @TempDir static Path directory;
  private static SmallJob job;
  @AutoClose private static YarnCluster cluster;
  private static String local;

  @BeforeAll
  static void start() throws Exception {
    YarnCluster.assumeBuilt(Path.of("target/yarn/hadoop"));
    job = new SmallJob(directory);
    job.here("local");
    local = job.row("local").stateSha256();
    cluster = new YarnCluster(directory);
    assertThat(finish("prepare", submit("prepare", Map.of(), "prepare"))).isZero();
  }

  private static List<String> words(String command, String... more) {
    List<String> words =
        job.words("yarn", command, "-D", "run.output=" + RUNS, "-D", "data.path=/images");
    words.addAll(List.of(more));
    return words;
  }

  private static Process submit(
      String name, Map<String, String> environment, String command, String... more)
      throws Exception {
    return cluster.start(name, environment, words(command, more));
  }

  private static int finish(String name, Process process) throws Exception {
    assertThat(process.waitFor(8, TimeUnit.MINUTES)).as(cluster.said(name)).isTrue();
    return process.exitValue();
  }

  private static RunRow row(String runId) {
    return new Tables(cluster.configuration(), RUNS).run(runId).orElseThrow();
  }

  private static boolean reached(String runId, String checkpoint) throws Exception {
    Configuration conf = cluster.configuration();
    var files = new org.apache.hadoop.fs.Path(RUNS).getFileSystem(conf);
    var found =
        files.globStatus(
            new org.apache.hadoop.fs.Path(
                "%s/checkpoints/%s/%s*".formatted(RUNS, runId, checkpoint)));
    return found != null && found.length > 0;
  }

  @Test
  void theDriverHereTrainsOnExecutorsThere() throws Exception {
    assertThat(finish("client", submit("client", Map.of(), "train", "-D", "run.id=client")))
        .as(cluster.said("client"))
        .isZero();

    assertThat(row("client").stateSha256()).isEqualTo(local);
    assertThat(cluster.said("client"))
        .containsPattern("Registered executor .* with ID 1,")
        .containsPattern("Registered executor .* with ID 2,");
  }

  /** Executors that YARN starts and Spark ends as it likes, with blocks that nobody else serves. */
  @Test
  void executorsMayComeAndGo() throws Exception {
    String dynamic =
        "--conf spark.dynamicAllocation.enabled=true"
            + " --conf spark.dynamicAllocation.shuffleTracking.enabled=true"
            + " --conf spark.dynamicAllocation.minExecutors=1"
            + " --conf spark.dynamicAllocation.executorIdleTimeout=5s";

    Process submitted =
        submit(
            "dynamic",
            Map.of("MIXTRAINING_SUBMIT_OPTIONS", dynamic),
            "train",
            "-D",
            "run.id=dynamic",
            "-D",
            "averaging.exchange=shuffle");

    assertThat(finish("dynamic", submitted)).as(cluster.said("dynamic")).isZero();
    assertThat(row("dynamic").stateSha256()).isEqualTo(local);
    assertThat(cluster.said("dynamic")).contains("Using initial executors = ");
  }

  /** And what it asks for is planned from the images on HDFS. */
  @Test
  void anApplicationMasterThatIsKilledIsStartedAgainAndGoesOn() throws Exception {
    List<String> plan = new ArrayList<>(words("train"));
    plan.add(1, "--print");
    assertThat(finish("plan", cluster.start("plan", Map.of(), plan))).isZero();
    assertThat(cluster.said("plan")).contains("spark.executor.memory=", "spark.driver.memory=");

    Process submitted =
        submit("killed", Map.of("DEPLOY_MODE", "cluster"), "train", "-D", "run.id=killed");
    cluster.await("killed", () -> reached("killed", "epoch-00001") || !submitted.isAlive());
    cluster.failOver();
    cluster.await("killed", () -> reached("killed", "epoch-00002") || !submitted.isAlive());
    ProcessHandle first = cluster.master().orElseThrow();
    first.destroyForcibly();

    assertThat(finish("killed", submitted)).as(cluster.said("killed")).isZero();
    assertThat(row("killed").status()).isEqualTo(RunRow.Status.FINISHED);
    assertThat(row("killed").stateSha256()).isEqualTo(local);
    assertThat(cluster.containers())
        .as("the driver's of a second attempt")
        .anyMatch(name -> name.endsWith("_02_000001"));
  }

  @Test
  void aRunThatIsHeldIsTriedAgain() throws Exception {
    String[] short1 = {"-D", "run.id=held", "-D", "epochs={ssl = 0, sl = 1}", "-D", "pipeline=sl"};
    Process submitted;
    try (RunLock lock = new Checkpoints(cluster.configuration(), RUNS, "held").lock(line -> {})) {
      assertThat(finish("here", submit("here", Map.of(), "train", short1)))
          .as(cluster.said("here"))
          .isEqualTo(4);

      submitted = submit("held", Map.of("DEPLOY_MODE", "cluster"), "train", short1);
      cluster.await("held", () -> cluster.master().isPresent() || !submitted.isAlive());
      ProcessHandle first = cluster.master().orElseThrow();
      cluster.await("held", () -> !first.isAlive() || !submitted.isAlive());
      lock.check();
    }
    assertThat(finish("held", submitted)).as(cluster.said("held")).isZero();
    assertThat(row("held").status()).isEqualTo(RunRow.Status.FINISHED);
  }

  @Test
  void theLauncherReturnsTheCodeOfADriverThere() throws Exception {
    Map<String, String> environment = new HashMap<>();
    environment.put("DEPLOY_MODE", "cluster");
    environment.put("MIXTRAINING_SUBMIT_OPTIONS", "--conf spark.yarn.maxAppAttempts=1");

    int code = finish("bad", submit("bad", environment, "train", "-D", "data.path=/none"));

    assertThat(code).as(cluster.said("bad")).isEqualTo(2);
  }
}
