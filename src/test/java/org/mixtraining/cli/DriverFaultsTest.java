package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.example.GroupReadSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.results.RunRow;
import org.mixtraining.results.Tables;

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

  @BeforeAll
  static void prepare() throws Exception {
    assumeTrue(
        Files.exists(Path.of("target/mixtraining.jar"))
            && Files.isDirectory(Path.of("target/spark/jars")),
        "needs target/mixtraining.jar and target/spark, which mvn verify makes");
    assertThat(new Driver(ONE_PROCESS, "prepare", "ignored").exit()).isZero();
  }

  /** A command in a process of its own, and what it said. */
  private static final class Driver {
    private final Process process;
    private final Path said;

    Driver(Map<String, String> environment, String command, String runId, String... more)
        throws IOException {
      List<String> words = new ArrayList<>(List.of("submit/mixtraining", command));
      for (String setting :
          List.of(
              "run.output=" + directory.resolve("runs"),
              "data.path=" + directory.resolve("images"),
              "data.synthetic={train = 800, test = 40}",
              "data.shards=2",
              "model.preset=vit-nano",
              "model.patch=8",
              "model.decoder.depth=1",
              "epochs={ssl = 3, sl = 5}",
              "mix.ratio=0.33",
              "optimizer.batch-size=16")) {
        words.addAll(List.of("-D", setting));
      }
      if (!List.of(more).contains("--resume")) {
        words.addAll(List.of("-D", "run.id=" + runId));
      }
      words.addAll(List.of(more));
      said = Files.createTempFile(directory, command, ".txt");
      ProcessBuilder builder =
          new ProcessBuilder(words).redirectErrorStream(true).redirectOutput(said.toFile());
      builder.environment().remove("SPARK_HOME"); // the embedded one, as a newcomer has it
      builder.environment().remove("SPARK_SCALA_VERSION");
      builder.environment().putAll(environment);
      process = builder.start();
    }

    int exit() throws InterruptedException {
      if (!process.waitFor(5, TimeUnit.MINUTES)) {
        kill();
        throw new AssertionError("it hangs:\n" + said());
      }
      return process.exitValue();
    }

    String said() {
      try {
        return Files.readString(said);
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }

    /** SIGKILL: no handler, no hook runs. */
    void kill() {
      process.destroyForcibly();
      process.onExit().join();
    }

    /** SIGSTOP: it is there, but comes no further. */
    void pause() throws IOException, InterruptedException {
      assertThat(new ProcessBuilder("kill", "-STOP", "" + process.pid()).start().waitFor())
          .isZero();
    }

    /** SIGTERM. */
    void terminate() {
      process.destroy();
    }

    void await(BooleanSupplier condition) throws InterruptedException {
      while (!condition.getAsBoolean()) {
        if (!process.isAlive()) {
          throw new AssertionError("it ended too early:\n" + said());
        }
        Thread.sleep(1);
      }
    }
  }

  private static Driver train(String runId, String... more) throws IOException {
    return new Driver(ONE_PROCESS, "train", runId, more);
  }

  private static boolean exists(String runId, String prefix) {
    Path checkpoints = directory.resolve("runs/checkpoints").resolve(runId);
    try (var files = Files.list(checkpoints)) {
      return files.anyMatch(file -> file.getFileName().toString().startsWith(prefix));
    } catch (IOException e) {
      return false;
    }
  }

  private static RunRow row(String runId) {
    return new Tables(new Configuration(), directory.resolve("runs").toString())
        .run(runId)
        .orElseThrow();
  }

  /** All rows of a run without times, places and its name; and its checkpoints by name. */
  private static SortedMap<String, String> left(String runId) throws IOException {
    SortedMap<String, String> left = new TreeMap<>();
    try (var files = Files.walk(directory.resolve("runs"))) {
      for (Path file : files.filter(file -> file.toString().contains(runId + "/")).toList()) {
        String name = file.getFileName().toString();
        if (Files.isRegularFile(file) && !name.startsWith(".")) {
          left.put(name, name.endsWith(".parquet") ? rows(file).replace(runId, "*") : "");
        }
      }
    }
    return left;
  }

  private static String rows(Path file) throws IOException {
    StringBuilder rows = new StringBuilder();
    var path = new org.apache.hadoop.fs.Path(file.toUri());
    try (var reader = ParquetReader.builder(new GroupReadSupport(), path).build()) {
      for (Group row = reader.read(); row != null; row = reader.read()) {
        row.toString()
            .lines()
            .filter(
                value ->
                    !value.matches(
                        ".*(seconds|started|ended|finished_at|_bytes|host|executor|attempt): .*"))
            .forEach(value -> rows.append(value).append('\n'));
      }
    }
    return rows.toString();
  }

  private static void assertSameAsCalm(String runId) throws IOException {
    assertThat(row(runId).stateSha256()).isEqualTo(row("calm").stateSha256());
    assertThat(left(runId)).isEqualTo(left("calm"));
  }

  @Test
  @Order(1)
  void anUndisturbedRunFinishes() throws Exception {
    Driver driver = train("calm");

    assertThat(driver.exit()).as(driver.said()).isZero();
    assertThat(row("calm").progress().epochsDone()).isEqualTo(7);
    assertThat(left("calm"))
        .containsKeys("epoch-00007.parquet", "workers-00001.parquet", "best.safetensors")
        .doesNotContainKey("LOCK");
  }

  @Test
  @Order(2)
  void aDriverThatIsKilledInEachPhaseGoesOnToTheSameEnd() throws Exception {
    Driver inSsl = train("killed");
    inSsl.await(() -> exists("killed", "epoch-00001"));
    Thread.sleep(100);
    inSsl.kill();

    Driver inMix = train("killed");
    inMix.await(() -> exists("killed", "epoch-00002"));
    inMix.pause();
    Driver second = train("killed");
    assertThat(second.exit()).isEqualTo(2);
    assertThat(second.said()).contains("is training this run (last sign of life");
    inMix.kill();
    assertThat(inMix.said()).contains("run killed goes on after epoch 1 of 7");

    Driver inCheckpoint = train("killed");
    inCheckpoint.await(() -> exists("killed", ".epoch-00004") || exists("killed", "epoch-00004"));
    inCheckpoint.kill();
    assertThat(row("killed").status()).isEqualTo(RunRow.Status.RUNNING);

    Driver last = train("killed", "--resume", "killed");
    assertThat(last.exit()).as(last.said()).isZero();
    assertThat(last.said())
        .contains("the run's lock is taken over from process ", "run killed goes on after epoch ");
    assertSameAsCalm("killed");

    Driver again = train("killed");
    assertThat(again.exit()).isZero();
    assertThat(again.said()).contains("run killed is finished already", "run killed finished: ");
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
    Driver driver = new Driver(secured, "train", "told", "-D", "checkpoint.every=4");
    driver.await(
        () ->
            Files.exists(directory.resolve("runs/tables/epochs/run_id=told/epoch-00002.parquet")));
    driver.terminate();

    assertThat(driver.exit()).as(driver.said()).isEqualTo(3);
    assertThat(driver.said())
        .containsPattern("run told was interrupted after [2-6] finished epochs; the same command")
        .doesNotContain("\tat org.");
    assertThat(row("told").status()).isEqualTo(RunRow.Status.INTERRUPTED);
    assertThat(exists("told", "epoch-0000")).isTrue();
    assertThat(exists("told", "LOCK")).isFalse();

    Driver rest = new Driver(secured, "train", "told", "-D", "checkpoint.every=1");
    assertThat(rest.exit()).as(rest.said()).isZero();
    assertThat(row("told").stateSha256()).isEqualTo(row("calm").stateSha256());
    try (var files = Files.walk(directory.resolve("runs"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
            .as(file.toString())
            .doesNotContain(SECRET);
      }
    }
  }

  /** The cluster's machines have a core each, and an executor is to have four. */
  @Test
  @Order(4)
  void aRunThatGetsNoExecutorSaysWhyAndGivesUp() throws Exception {
    Map<String, String> tooSmall =
        Map.of(
            "MASTER", "local-cluster[1,1,1024]", "JAVA_TOOL_OPTIONS", "-Dspark.executor.cores=4");
    Driver driver = new Driver(tooSmall, "train", "alone", "-D", "workers.patience-minutes=0.05");

    assertThat(driver.exit()).as(driver.said()).isEqualTo(1);
    assertThat(driver.said())
        .contains("failed: IllegalStateException: no executor for ")
        .contains("none to give with 1024m of memory, 4 cores and no GPUs")
        .contains("workers.patience-minutes are over");
    assertThat(row("alone").status()).isEqualTo(RunRow.Status.FAILED);
  }
}
