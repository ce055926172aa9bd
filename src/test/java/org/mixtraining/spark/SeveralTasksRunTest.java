package org.mixtraining.spark;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.udf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.types.DataTypes;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.prepare.Prepare;
import org.mixtraining.run.EpochOutcome;
import org.mixtraining.vit.state.ModelState;

/** Two tasks: coloured images of 32 pixels, and grey ones of 16. */
class SeveralTasksRunTest {

  @TempDir static Path directory;
  private static SparkSession session;
  private static JavaSparkContext spark;

  @BeforeAll
  static void prepare() throws IOException {
    session =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", false)
            .config("spark.sql.shuffle.partitions", 1)
            .config("spark.sql.codegen.wholeStage", false)
            .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
            .getOrCreate();
    session.sparkContext().setLogLevel("OFF");
    spark = JavaSparkContext.fromSparkContext(session.sparkContext());
    Prepare.run(session, config().data(), Prepare.Existing.REFUSE, line -> {});
    shrink(directory.resolve("colour"), directory.resolve("grey"));
  }

  @AfterAll
  static void stop() {
    session.stop();
  }

  /** Every second row and column of the red channel. */
  private static void shrink(Path from, Path to) throws IOException {
    UDF1<byte[], byte[]> red =
        pixels -> {
          byte[] small = new byte[16 * 16];
          for (int i = 0; i < small.length; i++) {
            small[i] = pixels[i / 16 * 2 * 32 + i % 16 * 2];
          }
          return small;
        };
    session
        .read()
        .parquet(from.resolve("images").toString())
        .withColumn("pixels", udf(red, DataTypes.BinaryType).apply(col("pixels")))
        .withColumn("channels", lit(1))
        .write()
        .partitionBy("split", "shard")
        .parquet(to.resolve("images").toString());
    ObjectMapper json = new ObjectMapper();
    ObjectNode manifest = (ObjectNode) json.readTree(from.resolve("dataset.json").toFile());
    manifest.put("height", 16).put("width", 16).put("channels", 1);
    manifest.put("fingerprint", "grey");
    for (String measure : List.of("mean", "std")) {
      ArrayNode channels = (ArrayNode) manifest.get("normalization").get(measure);
      channels.remove(2);
      channels.remove(1);
    }
    json.writeValue(to.resolve("dataset.json").toFile(), manifest);
  }

  private static JobConfig config(String... overrides) {
    return SmallRun.config(directory.resolve("colour"), overrides);
  }

  private static JobConfig tasks(String... overrides) {
    List<String> all = new ArrayList<>(List.of(overrides));
    all.add(
        "data.tasks=[{name = colour, path = \"%s\"}, {name = grey, path = \"%s\", weight = 0.5}]"
            .formatted(directory.resolve("colour"), directory.resolve("grey")));
    return config(all.toArray(String[]::new));
  }

  private static List<EpochOutcome> train(JobConfig config) {
    try (var run = new SparkRun(spark, config)) {
      var epochs = new ArrayList<EpochOutcome>();
      run.train(run.initialState(), epochs::add);
      return epochs;
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"pipeline=sl", "mix.pass=visible"})
  void everyPipelineTrainsOneEncoderAndAHeadForEachTask(String variant) {
    List<EpochOutcome> epochs = train(tasks(variant, "data.reshuffle=true"));

    EpochOutcome last = epochs.get(epochs.size() - 1);
    assertThat(last.model().blocks().keySet())
        .contains(ModelState.ENCODER, "head-colour", "head-grey")
        .doesNotContain(ModelState.HEAD);
    assertThat(last.metrics().images()).isEqualTo(2 * 110);
    assertThat(last.metrics().loss()).isFinite();
    assertThat(last.scores().test().tasks()).containsOnlyKeys("colour", "grey");
    assertThat(last.scores().test().tasks().get("grey").images()).isEqualTo(40);
    assertThat(last.scores().test().images()).isEqualTo(80);
    assertThat(last.scores().test().accuracy())
        .isEqualTo(
            (last.scores().test().tasks().get("colour").accuracy()
                    + last.scores().test().tasks().get("grey").accuracy())
                / 2);
    assertThat(last.model().block("head-grey").steps())
        .isEqualTo(last.model().block("head-colour").steps())
        .isPositive();
  }

  @Test
  void aLoneTaskWithANameTrainsItsHead() {
    String task = "data.tasks=[{name = colour, path = \"%s\"}]";
    List<EpochOutcome> epochs =
        train(config("pipeline=sl", task.formatted(directory.resolve("colour"))));

    assertThat(epochs.get(0).model().block("head-colour").steps()).isPositive();
    assertThat(epochs.get(0).metrics().labels()).containsOnlyKeys("head-colour");
  }

  @Test
  void aTasksImagesCostWhatTheirSizeAsksFor() {
    double both = train(tasks("pipeline=sl", "epochs.sl=1")).get(0).metrics().flops();
    double colour = train(config("pipeline=sl", "epochs.sl=1")).get(0).metrics().flops();

    assertThat(both).isBetween(1.15 * colour, 1.35 * colour); // a quarter of the tokens
  }

  @Test
  void learnedPositionsServeImagesOfOneSizeOnly() {
    assertThatThrownBy(() -> train(tasks("model.positions=learned")))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "mixtraining.model.positions = learned: all tasks need images of one size, but theirs are [32, 16] pixels; sin-cos takes any");
  }

  @Test
  void aTaskThatIsMissingIsNamed() {
    assertThatThrownBy(
            () -> train(config("data.tasks=[{name = gone, path = \"%s\"}]".formatted(directory))))
        .isInstanceOf(UserException.class)
        .hasMessageStartingWith("mixtraining.data.tasks gone: no prepared dataset at file:");
  }
}
