package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.ImageBytes;
import org.mixtraining.data.RawFiles;
import org.mixtraining.data.Split;
import org.mixtraining.data.prepare.Prepare;
import org.mixtraining.run.EpochOutcome;
import org.mixtraining.train.Score;

/** Datasets of which a worker, a shard or a split has nothing, or one image of a class. */
class UnevenRunTest {
  private static SparkSession session;
  private static JavaSparkContext spark;

  @TempDir Path directory;

  @BeforeAll
  static void open() {
    session = RawFiles.spark();
    spark = JavaSparkContext.fromSparkContext(session.sparkContext());
  }

  private void images(String place, int count) throws IOException {
    Path to = Files.createDirectories(directory.resolve("raw").resolve(place));
    for (int i = 0; i < count; i++) {
      Files.write(to.resolve(i + ".png"), ImageBytes.png(8, 8, i));
    }
  }

  private JobConfig config(String... overrides) {
    List<String> settings =
        new ArrayList<>(
            List.of(
                "data.format=folder",
                "data.source=" + directory.resolve("raw"),
                "data.image-size=8",
                "model.patch=4",
                "augment.sl.crop-padding=0"));
    settings.addAll(List.of(overrides));
    return SmallRun.config(directory.resolve("images"), settings.toArray(String[]::new));
  }

  private static List<EpochOutcome> train(JobConfig config) {
    List<EpochOutcome> epochs = new ArrayList<>();
    try (SparkRun run = new SparkRun(spark, config)) {
      run.train(run.initialState(), epochs::add);
    }
    return epochs;
  }

  /** Three test images in four shards, and none to validate on. */
  @Test
  @Tag("slow")
  void tenThousandClassesOfOneImageEachTrainOneEpoch() throws IOException {
    int classes = 10_000;
    for (int c = 0; c < classes; c++) {
      images("train/c" + (classes + c), 1);
    }
    images("test/c10007", 3);
    JobConfig config =
        config(
            "data.validation=0",
            "pipeline=sl",
            "epochs.sl=1",
            "workers.count=2",
            "optimizer.batch-size=1000");

    DatasetManifest manifest =
        Prepare.run(session, config.data(), Prepare.Existing.REFUSE, line -> {});
    List<EpochOutcome> epochs = train(config);

    assertThat(manifest.classCount()).isEqualTo(classes);
    assertThat(manifest.describe().lines()).hasSizeLessThan(300);
    assertThat(epochs).hasSize(1);
    EpochOutcome epoch = epochs.get(0);
    assertThat(epoch.metrics().images()).isEqualTo(classes);
    assertThat(epoch.metrics().loss() / classes).isBetween(8.0, 12.0); // of guessing, 9.2
    assertThat(epoch.scores().validation().images()).isZero();
    Score test = epoch.scores().test().tasks().get("main");
    assertThat(test.images()).isEqualTo(3);
    assertThat(test.classes().get(7).images()).isEqualTo(3);
  }

  /** One image to validate on, three to test on, and of most classes none on most workers. */
  @Test
  void aRunTrainsWhereWorkersLackClassesAndSplits() throws IOException {
    images("many", 40);
    images("two", 2);
    images("one", 1);
    JobConfig config =
        config("data.validation=0.03", "data.test=0.07", "workers.count=2", "pipeline=mix");

    DatasetManifest manifest =
        Prepare.run(session, config.data(), Prepare.Existing.REFUSE, line -> {});
    List<EpochOutcome> epochs = train(config);

    assertThat(manifest.images(Split.VALIDATION)).isEqualTo(1);
    assertThat(manifest.images(Split.TEST)).isEqualTo(3);
    assertThat(manifest.splits().get(Split.TRAIN).histogram()).containsExactly(36L, 1L, 2L);
    EpochOutcome last = epochs.get(epochs.size() - 1);
    assertThat(last.scores().validation().images()).isEqualTo(1);
    assertThat(last.scores().test().images()).isEqualTo(3);
    assertThat(last.metrics().loss()).isFinite();
  }
}
