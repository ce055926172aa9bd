package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.prepare.Prepare;

/** Where images are read: it needs what {@link ClusterRunTest} needs. */
@Tag("slow")
class PlacementTest {
  private static final int EXECUTORS = 4;
  private static final int EPOCHS = 20;

  @TempDir Path directory;

  /** Nor is one of the images that are evaluated. */
  @Test
  void noShardIsReadTwiceWhileNothingHappens() throws Exception {
    String jar = PackagedJob.jar();
    JobConfig prepared = config(directory.resolve("images").toString());
    try (SparkSession session =
        SparkSession.builder()
            .master("local-cluster[%s, 1, 512]".formatted(EXECUTORS))
            .config("spark.executor.memory", "512m")
            .config("spark.ui.enabled", false)
            .config("spark.sql.shuffle.partitions", 1)
            .config(
                "spark.executor.extraClassPath",
                jar + ":" + Path.of("target/test-classes").toAbsolutePath())
            .config("spark.scheduler.minRegisteredResourcesRatio", 1)
            .config("spark.scheduler.maxRegisteredResourcesWaitingTime", "120s")
            .config("spark.hadoop.fs.noted.impl", OpensNoted.class.getName())
            .config("spark.hadoop." + OpensNoted.DIRECTORY, directory.toString())
            .getOrCreate()) {
      session.sparkContext().setLogLevel("OFF");
      Prepare.run(session, prepared.data(), Prepare.Existing.REFUSE, line -> {});
      var spark = JavaSparkContext.fromSparkContext(session.sparkContext());
      List<List<String>> opened = new ArrayList<>();
      try (var run = new SparkRun(spark, config("noted://" + directory.resolve("images")))) {
        run.train(run.initialState(), epoch -> opened.add(opened()));
        run.predictions(run.initialState().model());
        opened.add(opened());
      }

      assertThat(opened).hasSize(EPOCHS + 1);
      assertThat(opened.get(0)).anyMatch(file -> file.contains("split=train"));
      assertThat(opened.get(0)).anyMatch(file -> file.contains("split=test"));
      assertThat(opened.get(EPOCHS)).isEqualTo(opened.get(0));
    }
  }

  private static JobConfig config(String images) {
    return SmallRun.config(
        Path.of("unused"),
        "data.path=\"" + images + "\"",
        "data.synthetic={train = 120, test = 60}",
        "data.shards=" + EXECUTORS,
        "workers.count=" + EXECUTORS,
        "pipeline=sl",
        "epochs={ssl = 0, sl = %s}".formatted(EPOCHS),
        "model.depth=1");
  }

  /** The shards that executors have opened so far, each with the process. */
  private List<String> opened() {
    List<String> all = new ArrayList<>();
    String driver = "opened-" + ProcessHandle.current().pid();
    try (var files = Files.newDirectoryStream(directory, "opened-*")) {
      for (Path file : files) {
        String process = file.getFileName().toString();
        if (!process.equals(driver)) {
          Files.readAllLines(file).stream()
              .filter(name -> name.endsWith(".parquet"))
              .forEach(name -> all.add(process + " " + name));
        }
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    all.sort(null);
    return all;
  }
}
