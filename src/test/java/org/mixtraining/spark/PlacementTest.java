package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.prepare.Prepare;

/**
 * Where images are read: it needs what {@link ClusterRunTest} needs. System property {@code
 * executors} says on how many.
 */
@Tag("slow")
class PlacementTest {
  private static final int EXECUTORS = Integer.getInteger("executors", 4);
  private static final int EPOCHS = 20;
  private static final int KILLED_AFTER = 5;

  @TempDir Path directory;

  private SparkSession session() {
    SparkSession session =
        SparkSession.builder()
            .master("local-cluster[%s, 1, 512]".formatted(EXECUTORS))
            .config("spark.executor.memory", "512m")
            .config("spark.ui.enabled", false)
            .config("spark.sql.shuffle.partitions", 1)
            .config(
                "spark.executor.extraClassPath",
                PackagedJob.jar() + ":" + Path.of("target/test-classes").toAbsolutePath())
            .config("spark.scheduler.minRegisteredResourcesRatio", 1)
            .config("spark.scheduler.maxRegisteredResourcesWaitingTime", "120s")
            .config("spark.hadoop.fs.noted.impl", OpensNoted.class.getName())
            .config("spark.hadoop.fs.noted.impl.disable.cache", true)
            .config("spark.hadoop." + OpensNoted.DIRECTORY, directory.toString())
            .getOrCreate();
    session.sparkContext().setLogLevel("OFF");
    JobConfig config = config(directory.resolve("images").toString());
    Prepare.run(session, config.data(), Prepare.Existing.REFUSE, line -> {});
    return session;
  }

  private SparkRun run(SparkSession session) {
    return new SparkRun(
        JavaSparkContext.fromSparkContext(session.sparkContext()),
        config("noted://" + directory.resolve("images")));
  }

  /** Nor is one of the images that are evaluated. */
  @Test
  void noShardIsReadTwiceWhileNothingHappens() {
    List<List<String>> opened = new ArrayList<>();
    try (SparkSession session = session();
        SparkRun run = run(session)) {
      run.train(run.initialState(), epoch -> opened.add(opened()));
      run.predictions(run.initialState().model());
      opened.add(opened());
    }

    assertThat(opened).hasSize(EPOCHS + 1);
    assertThat(opened.get(0)).anyMatch(file -> file.contains("split=train"));
    assertThat(opened.get(0)).anyMatch(file -> file.contains("split=test"));
    assertThat(opened.get(EPOCHS)).isEqualTo(opened.get(0));
  }

  @Test
  void onlyTheImagesOfAnExecutorThatIsLostAreReadAgain() {
    List<List<String>> opened = new ArrayList<>();
    try (SparkSession session = session();
        SparkRun run = run(session)) {
      run.train(
          run.initialState(),
          epoch -> {
            opened.add(opened());
            if (opened.size() == KILLED_AFTER) {
              ProcessHandle.of(Long.parseLong(victim(opened.get(0))))
                  .orElseThrow()
                  .destroyForcibly();
            }
          });
    }

    List<String> quiet = opened.get(KILLED_AFTER - 1);
    String victim = victim(quiet);
    List<String> again = new ArrayList<>(opened.get(EPOCHS - 1));
    quiet.forEach(again::remove);
    assertThat(opened).hasSize(EPOCHS);
    assertThat(again).isNotEmpty().noneMatch(line -> line.startsWith(process(victim)));
    assertThat(again.stream().map(line -> line.substring(line.indexOf(' '))))
        .isSubsetOf(
            quiet.stream()
                .filter(line -> line.startsWith(process(victim)))
                .map(line -> line.substring(line.indexOf(' ')))
                .toList());
  }

  /** The process that trains on the first shard. */
  private static String victim(List<String> opened) {
    return opened.stream()
        .filter(line -> line.contains("split=train"))
        .min(Comparator.comparing(line -> line.substring(line.indexOf(' '))))
        .map(line -> line.substring("opened-".length(), line.indexOf(' ')))
        .orElseThrow();
  }

  private static String process(String pid) {
    return "opened-" + pid + " ";
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
