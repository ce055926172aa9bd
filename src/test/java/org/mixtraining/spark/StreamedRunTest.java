package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.prepare.Prepare;
import org.mixtraining.run.RunState;

/** Runs of two workers whose windows hold a fourth of their shares. */
class StreamedRunTest {
  private static SparkSession session;
  private static JavaSparkContext spark;

  /** 1485 images of 3 kB in 8 shards, each a row group of 0.6 MB. */
  @TempDir static Path directory;

  @BeforeAll
  static void prepare() {
    session =
        SparkSession.builder()
            .master("local[2, 4]")
            .config("spark.ui.enabled", false)
            .config("spark.sql.shuffle.partitions", 1)
            .getOrCreate();
    session.sparkContext().setLogLevel("OFF");
    spark = JavaSparkContext.fromSparkContext(session.sparkContext());
    Prepare.run(session, config().data(), Prepare.Existing.REFUSE, line -> {});
  }

  @AfterAll
  static void stop() {
    session.stop();
  }

  private static JobConfig config(String... overrides) {
    List<String> settings = new ArrayList<>(List.of(overrides));
    settings.addAll(
        0,
        List.of(
            "data.synthetic={train = 1500, test = 40}",
            "data.shards=8",
            "data.validation=0.01",
            "optimizer.batch-size=128",
            "averaging.rounds=3",
            "data.window=1"));
    return SmallRun.config(directory.resolve("images"), settings.toArray(String[]::new));
  }

  private static List<RunState> train(JobConfig config) {
    try (SparkRun run = new SparkRun(spark, config)) {
      List<RunState> states = new ArrayList<>();
      run.train(run.initialState(), epoch -> states.add(epoch.state()));
      return states;
    }
  }

  private static String bits(List<RunState> states) {
    return states.get(states.size() - 1).model().sha256();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"data.label-fraction=1", "data.label-fraction=0.2", "data.reshuffle=true"})
  void aRunHasTheSameBitsWhereverItsImagesAreKept(String setting) {
    String expected = bits(train(config(setting, "data.cache=memory")));

    assertThat(bits(train(config(setting, "data.cache=none")))).isEqualTo(expected);
    assertThat(bits(train(config(setting, "data.cache=disk")))).isEqualTo(expected);
    assertThat(bits(train(config(setting, "data.cache=memory", "data.window=0"))))
        .as("a window of one row group is not the share of four")
        .isNotEqualTo(expected);
  }

  @Test
  void aTaskThatFailsOnceIsRunAgainWithTheSameBits() {
    spark.hadoopConfiguration().set("fs.flaky.impl", OpensFailingOnce.class.getName());
    OpensFailingOnce.FAILED.set(false);
    String flaky = "data.path=flaky://" + directory.resolve("images");

    assertThat(bits(train(config("data.cache=none", flaky))))
        .isEqualTo(bits(train(config("data.cache=none"))));
    assertThat(OpensFailingOnce.FAILED).isTrue();
  }

  @Test
  void aRunThatIsResumedEndsWhereOneThatWasNeverStoppedDoes() {
    JobConfig config = config("data.cache=none", "data.label-fraction=0.2");
    List<RunState> whole = train(config);

    try (SparkRun run = new SparkRun(spark, config)) {
      assertThat(run.train(whole.get(0), epoch -> {}).model().sha256()).isEqualTo(bits(whole));
    }
  }
}
