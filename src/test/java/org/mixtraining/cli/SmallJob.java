package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
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
import org.mixtraining.results.RunRow;
import org.mixtraining.results.Tables;

/**
 * Runs of 7 epochs that take a second each, as {@code submit/mixtraining} starts them: drivers that
 * can be killed, and what they left in the directory.
 */
record SmallJob(Path directory) {

  /** A command of a launcher, with what makes runs small. */
  List<String> words(String launcher, String command, String... more) {
    List<String> words = new ArrayList<>(List.of("submit/" + launcher, command));
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
    words.addAll(List.of(more));
    return words;
  }

  /** Prepares the images and trains in this process. */
  void here(String runId) {
    Map<String, String> properties =
        Map.of("spark.master", "local[2]", "spark.ui.enabled", "false");
    properties.forEach(System::setProperty);
    try {
      for (String command : List.of("prepare", "train")) {
        List<String> words = words("", command, "-D", "run.id=" + runId, "--quiet");
        Printed said = Printed.by(words.subList(1, words.size()).toArray(String[]::new));
        assertThat(said.exitCode()).as(said.err()).isZero();
      }
    } finally {
      properties.keySet().forEach(System::clearProperty);
    }
  }

  Driver start(Map<String, String> environment, String command, String runId, String... more)
      throws IOException {
    // What a shell starts in the background ignores SIGINT, and so does all that it starts in turn.
    List<String> words = new ArrayList<>(List.of("env", "--default-signal=INT"));
    words.addAll(words("mixtraining", command));
    if (!List.of(more).contains("--resume")) {
      words.addAll(List.of("-D", "run.id=" + runId));
    }
    words.addAll(List.of(more));
    Path said = Files.createTempFile(directory, command, ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(words).redirectErrorStream(true).redirectOutput(said.toFile());
    builder.environment().remove("SPARK_HOME"); // the embedded one, as a newcomer has it
    builder.environment().remove("SPARK_SCALA_VERSION");
    builder.environment().putAll(environment);
    return new Driver(builder.start(), said);
  }

  boolean exists(String runId, String prefix) {
    Path checkpoints = directory.resolve("runs/checkpoints").resolve(runId);
    try (var files = Files.list(checkpoints)) {
      return files.anyMatch(file -> file.getFileName().toString().startsWith(prefix));
    } catch (IOException e) {
      return false;
    }
  }

  RunRow row(String runId) {
    return new Tables(new Configuration(), directory.resolve("runs").toString())
        .run(runId)
        .orElseThrow();
  }

  /** All rows of a run without times, places and its name; and its checkpoints by name. */
  SortedMap<String, String> left(String runId) throws IOException {
    SortedMap<String, String> left = new TreeMap<>();
    try (var files = Files.walk(directory.resolve("runs"))) {
      for (Path file : files.filter(file -> file.toString().contains(runId + "/")).toList()) {
        String name = file.getFileName().toString();
        if (Files.isRegularFile(file)
            && !name.startsWith(".")
            && !name.contains("tfevents")) { // one for each start
          left.put(name, name.endsWith(".parquet") ? rows(file).replace(runId, "*") : "");
        }
      }
    }
    return left;
  }

  String rows(Path file) throws IOException {
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

  /** A command in a process of its own, and what it said. */
  record Driver(Process process, Path output) {

    int exit() throws InterruptedException {
      if (!process.waitFor(15, TimeUnit.MINUTES)) {
        kill();
        throw new AssertionError("it hangs:\n" + said());
      }
      return process.exitValue();
    }

    String said() {
      try {
        return Files.readString(output);
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
}
