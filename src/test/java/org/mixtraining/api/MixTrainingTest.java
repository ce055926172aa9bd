package org.mixtraining.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.prepare.Prepare;
import org.mixtraining.results.RunSummary;

class MixTrainingTest {
  @TempDir static Path directory;
  private static SparkSession spark;

  @BeforeAll
  static void prepare() {
    spark =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", false)
            .config("spark.sql.shuffle.partitions", 1)
            .getOrCreate();
    spark.sparkContext().setLogLevel("OFF");
    Prepare.run(spark, config("any").data(), Prepare.Existing.REFUSE, line -> {});
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  private static List<String> settings(String id, String... more) {
    List<String> settings =
        new ArrayList<>(
            List.of(
                "run.id=" + id,
                "run.output=" + directory.resolve("runs"),
                "data.format=synthetic",
                "data.path=" + directory.resolve("images"),
                "data.synthetic={train = 60, test = 20}",
                "data.shards=2",
                "model.preset=vit-nano",
                "model.patch=8",
                "model.decoder.depth=1",
                "epochs={ssl = 2, sl = 2}",
                "mix.ratio=0.5",
                "optimizer.batch-size=16"));
    settings.addAll(List.of(more));
    return settings;
  }

  private static JobConfig config(String id, String... more) {
    return JobConfig.load(Optional.empty(), settings(id, more));
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "2, 1", "2, 3"})
  void trainingInThisProcessGivesTheBitsOfSpark(int workers, int rounds) {
    String id = workers + "-" + rounds;
    String[] both = {"workers.count=" + workers, "averaging.rounds=" + rounds};
    RunSummary onSpark = MixTraining.train(spark, config("spark-" + id, both));
    RunSummary local = MixTraining.train(config("local-" + id, both));

    assertThat(local.status()).isEqualTo("finished");
    assertThat(local.stateSha256()).isEqualTo(onSpark.stateSha256());
    assertThat(local.accuracy()).isEqualTo(onSpark.accuracy());
    assertThat(local.cost().images()).isEqualTo(onSpark.cost().images());
    assertThat(local.cost().evaluationFlops()).isEqualTo(onSpark.cost().evaluationFlops());
    for (String table : List.of("epochs", "workers", "classes", "predictions", "runs")) {
      for (RunSummary run : List.of(onSpark, local)) {
        assertThat(directory.resolve("runs/tables/" + table + "/run_id=" + run.runId()))
            .isDirectory();
      }
    }
  }

  @Test
  void aFinishedRunIsNotTrainedAgain() {
    RunSummary first = MixTraining.train(config("once"));

    assertThat(MixTraining.train(config("once")).cost()).isEqualTo(first.cost());
  }

  /** What a newcomer reads is what is run here. */
  @Test
  void theExampleOfReadmeAndManualRuns() throws IOException {
    String example =
        Files.readString(Path.of("src/test/java/org/mixtraining/api/TrainAModel.java"));
    String body = example.substring(example.indexOf("    JobConfig config"));
    body = body.substring(0, body.indexOf("\n  }\n"));
    for (var document : List.of("README.md", "src/site/markdown/models.md")) {
      assertThat(Files.readString(Path.of(document)))
          .as(document)
          .contains(body.indent(-4).stripTrailing());
    }

    Path file = Files.writeString(directory.resolve("job.conf"), "mixtraining.run.seed = 3\n");
    List<String> words = new ArrayList<>(List.of(file.toString()));
    words.addAll(settings("example"));
    PrintStream out = System.out;
    var printed = new ByteArrayOutputStream();
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      TrainAModel.main(words.toArray(String[]::new));
    } finally {
      System.setOut(out);
    }
    assertThat(printed.toString(StandardCharsets.UTF_8)).startsWith("example: test accuracy 0.");
  }
}
