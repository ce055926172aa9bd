package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.kernels.RecordingAccelerator;
import org.mixtraining.spark.PackagedJob;

/**
 * The job as it runs on a cluster, from jars: a Master, two Workers of one GPU each (which are
 * none), the launcher, SparkSubmit, a Worker that is killed midway and one that comes, and the
 * result by SQL from a second application. By {@code mvn verify -Pend-to-end}.
 */
@Tag("end-to-end")
class EndToEndTest {
  private static final int EPOCHS = 7;

  @TempDir static Path directory;
  private static SmallJob job;
  @AutoClose private static StandaloneCluster cluster;
  private static Process second;

  @BeforeAll
  static void start() throws Exception {
    Path jars = Path.of(System.getProperty("spark.jars.directory", "target/spark/jars"));
    PackagedJob.assumeBuilt(jars);
    job = new SmallJob(directory);
    cluster = new StandaloneCluster(directory, jars);
    cluster.worker("3");
    second = cluster.worker("7");
  }

  private static List<String> words(String launcher, String command, String... more) {
    List<String> words =
        job.words(launcher, command, "-D", "data.synthetic={train = 1600, test = 40}");
    words.addAll(List.of(more));
    return words;
  }

  private static Process run(String name, List<String> words, Map<String, String> environment)
      throws Exception {
    ProcessBuilder builder = cluster.process(name, words, environment);
    if (environment.containsKey("MASTER")) {
      builder.environment().remove("SPARK_HOME"); // the embedded one
    }
    return builder.start();
  }

  private static void finishes(String name, Process process) throws Exception {
    assertThat(process.waitFor(5, TimeUnit.MINUTES)).as(cluster.said(name)).isTrue();
    assertThat(process.exitValue()).as(cluster.said(name)).isZero();
  }

  @Test
  void aRunOnGpusThatLosesAWorkerEndsAsOneThatLosesNone() throws Exception {
    finishes("prepare", run("prepare", words("standalone", "prepare"), Map.of()));
    String options =
        "--jars %s --conf spark.executor.extraJavaOptions=-Dmixtraining.double=%s"
            .formatted(RecordingAccelerator.jar(directory, RecordingAccelerator.class), directory);
    List<String> train =
        words("standalone", "train", "-D", "run.id=gpus", "-D", "workers.device=gpu");

    Process driver = run("train", train, Map.of("MIXTRAINING_SUBMIT_OPTIONS", options));
    cluster.await("train", () -> job.exists("gpus", "epoch-00002") || !driver.isAlive());
    StandaloneCluster.kill(second);
    cluster.worker("9");
    finishes("train", driver);

    finishes(
        "calm",
        run(
            "calm",
            words("mixtraining", "train", "-D", "run.id=calm"),
            Map.of("MASTER", "local[2]")));
    assertThat(job.row("gpus").stateSha256()).isEqualTo(job.row("calm").stateSha256());
    // The third worker's joins midway, perhaps by an evaluation, which asks no GPU.
    assertThat(firstBindings()).containsOnly("3 first", "7 first", "9 first");

    JsonNode workers = ask("select epoch, worker, device from workers where run_id = 'gpus'");
    assertThat(workers).hasSize(2 * EPOCHS);
    assertThat(workers.findValuesAsText("device"))
        .contains("double:3", "double:7")
        .isSubsetOf("double:3", "double:7", "double:9");
    JsonNode epochs =
        ask("select count(*) as n, sum(images) as seen from epochs where run_id = 'gpus'");
    assertThat(epochs.get(0).get("n").asInt()).isEqualTo(EPOCHS);
    JsonNode runs = ask("select status from runs where run_id = 'gpus'");
    assertThat(runs.get(0).get("status").asText()).isEqualTo("finished");
    assertThat(cluster.said("master"))
        .contains("app mixtraining prepare", "app mixtraining train gpus", "app mixtraining sql");
  }

  /** What each executor was bound to at first. */
  private static List<String> firstBindings() throws Exception {
    List<String> bindings = new ArrayList<>();
    try (var files = Files.newDirectoryStream(directory, "bound-*")) {
      for (Path file : files) {
        bindings.add(Files.readAllLines(file).get(0));
      }
    }
    return bindings;
  }

  /** By an application of its own on the same cluster. */
  private static JsonNode ask(String sql) throws Exception {
    finishes("sql", run("sql", words("standalone", "sql", "--json", "-e", sql), Map.of()));
    return new ObjectMapper().readTree(cluster.result("sql"));
  }
}
