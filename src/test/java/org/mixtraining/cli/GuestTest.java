package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkUserAppException;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.results.RunRow;
import org.mixtraining.results.Tables;

/**
 * Commands in a process with somebody's session, which has not the job's plugin: as of Databricks,
 * of a notebook or of spark-shell, whose class loader alone is another.
 */
@Tag("cluster")
class GuestTest {
  @TempDir static Path directory;
  private static SparkSession theirs;

  @BeforeAll
  static void somebodyHasASession() {
    theirs =
        SparkSession.builder()
            .master("local[2]")
            .appName("theirs")
            .config("spark.ui.enabled", false)
            .getOrCreate();
  }

  @AfterAll
  static void stop() {
    theirs.close();
  }

  private static void main(String command, String... settings) throws Exception {
    List<String> words = new ArrayList<>(List.of(command, "--quiet"));
    for (String setting :
        List.of(
            "run.output=" + directory.resolve("runs"),
            "data.path=" + directory.resolve("images"),
            "data.synthetic={train = 40, test = 20}",
            "data.validation=0",
            "data.image-size=16",
            "data.shards=2",
            "workers.count=2",
            "model.preset=vit-nano",
            "model.patch=8",
            "model.decoder.depth=1",
            "epochs={ssl = 1, sl = 1}",
            "mix.ratio=0",
            "optimizer.batch-size=8")) {
      words.addAll(List.of("-D", setting));
    }
    words.addAll(List.of(settings));
    Main.main(words.toArray(String[]::new));
  }

  @Test
  void aRunLeavesTheSessionAndTheProcessToTheirOwner() throws Exception {
    main("prepare");
    main("train", "-D", "run.id=guest");

    assertThat(theirs.sparkContext().isStopped()).isFalse();
    assertThat(theirs.range(3).count()).isEqualTo(3);
    RunRow row =
        new Tables(new Configuration(), directory.resolve("runs").toString())
            .run("guest")
            .orElseThrow();
    assertThat(row.status()).isEqualTo(RunRow.Status.FINISHED);
  }

  @Test
  void aFailureIsThrownWithItsExitCode() {
    assertThatThrownBy(() -> main("train", "-D", "workers.count=none"))
        .isInstanceOfSatisfying(
            SparkUserAppException.class, e -> assertThat(e.exitCode()).isEqualTo(2));
    assertThat(theirs.sparkContext().isStopped()).isFalse();
  }
}
