package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.cli.SmallJob.Driver;
import org.mixtraining.spark.PackagedJob;

/**
 * {@code prepare} and {@code predict} that are told to stop, or killed, while a task writes. By
 * {@code mvn verify -Pend-to-end}: that many images take minutes to write.
 */
@Tag("end-to-end")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class) // the dataset of the first trains the model
class SignalsTest {
  private static final Map<String, String> ONE_CORE = Map.of("MASTER", "local[1]");

  @TempDir static Path directory;
  private static SmallJob job;

  @BeforeAll
  static void here() {
    PackagedJob.assumeBuilt();
    job = new SmallJob(directory);
    System.setProperty("spark.master", "local[2]");
    System.setProperty("spark.ui.enabled", "false");
  }

  @AfterAll
  static void restore() {
    System.clearProperty("spark.master");
    System.clearProperty("spark.ui.enabled");
  }

  /** A command in this process. */
  private static Printed run(String command, String... more) {
    List<String> words = job.words("mixtraining", command, more);
    return Printed.by(words.subList(1, words.size()).toArray(String[]::new));
  }

  private static List<Path> hidden() throws IOException {
    try (var files = Files.list(directory)) {
      return files.filter(file -> file.getFileName().toString().startsWith(".")).toList();
    }
  }

  /** Whether a task writes what is to become a target. */
  private static boolean isBegun(String name) {
    try {
      for (Path hidden : hidden()) {
        try (var files = Files.walk(hidden.resolve(name))) {
          if (files.anyMatch(file -> file.getFileName().toString().startsWith("part-"))) {
            return true;
          }
        }
      }
      return false;
    } catch (IOException | UncheckedIOException e) {
      return false; // it is being made
    }
  }

  /** Sends a signal while a task writes, and gives what the process said and its exit code. */
  private static Printed struck(String signal, String target, String command, String... more)
      throws Exception {
    Driver driver = job.start(ONE_CORE, command, "any", more);
    driver.await(() -> isBegun(target));
    new ProcessBuilder("kill", "-" + signal, "" + driver.process().pid()).start().waitFor();
    return new Printed(driver.exit(), "", driver.said());
  }

  /** Gives what the last start said, which is not struck. */
  private static Printed assertStopsAndThenGoesOn(
      String command, String target, List<String> much, List<String> little) throws Exception {
    String[] words = much.toArray(String[]::new);
    for (String signal : List.of("INT", "TERM")) {
      Printed told = struck(signal, target, command, words);
      assertThat(told.exitCode()).as(told.err()).isEqualTo(3);
      assertThat(told.err())
          .endsWith(
              command
                  + " was interrupted and left nothing behind; run the same command to start again\n")
          .doesNotContain("\tat ");
      assertThat(hidden()).isEmpty();
      assertThat(directory.resolve(target)).doesNotExist();
    }
    Printed killed = struck("KILL", target, command, words);
    assertThat(killed.exitCode()).isEqualTo(137);
    assertThat(hidden()).hasSize(1);
    Path left = hidden().get(0);

    Printed next = run(command, little.toArray(String[]::new));
    assertThat(next.exitCode()).as(next.err()).isZero();
    assertThat(next.err())
        .containsPattern(
            "removed "
                + left.getFileName()
                + ", left unfinished by process \\d+ on \\S+, which is no longer running");
    assertThat(hidden()).isEmpty();
    return next;
  }

  @Test
  @Order(1)
  void prepareLeavesNothingBehind() throws Exception {
    assertStopsAndThenGoesOn(
        "prepare", "images", List.of("-D", "data.synthetic={train = 20000, test = 40}"), List.of());

    assertThat(directory.resolve("images/dataset.json")).content().contains("\"images\" : 40");
  }

  @Test
  @Order(2)
  void predictLeavesNothingBehind() throws Exception {
    Printed trained = run("train", "-D", "run.id=r", "-D", "pipeline=sl", "-D", "epochs.sl=1");
    assertThat(trained.exitCode()).as(trained.err()).isZero();
    String said = directory.resolve("said").toString();
    String many = idx("many", 200_000).toString();
    String few = idx("few", 30).toString();

    Printed last =
        assertStopsAndThenGoesOn(
            "predict",
            "said",
            List.of("--run", "r", "-o", said, many),
            List.of("--run", "r", "-o", said, few));

    assertThat(last.out()).contains("30 predicted, 0 cannot be used");
    assertThat(Path.of(said, "_SUCCESS")).exists();
  }

  private static Path idx(String name, int images) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(16 + 64 * images);
    bytes.putInt(0x803).putInt(images).putInt(8).putInt(8);
    return Files.write(directory.resolve(name + "-images-idx3-ubyte"), bytes.array());
  }
}
