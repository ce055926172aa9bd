package org.mixtraining.ml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.Transformer;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.data.RawFiles;

/** Models that were trained and saved in one process, and are loaded in another. */
@Tag("cluster")
class SavedModelTest {
  private static final int IMAGES = 12;

  @AfterAll
  static void stop() {
    RawFiles.spark().stop(); // or other tests in this process would find it
  }

  @Test
  void anotherProcessLoadsAModelAloneAndInAPipelineAndSaysTheSame(@TempDir Path directory)
      throws Exception {
    assumeTrue(
        Files.exists(Path.of("target/mixtraining.jar")),
        "needs target/mixtraining.jar and target/spark, which mvn verify makes");
    MixTrainingClassificationModel model = Photos.classifier(directory).fit(Photos.files(90));
    MixTrainingFeaturizer featurizer = model.featurizer().setInputCol("image").setErrorCol("");
    Pipeline pipeline = new Pipeline().setStages(new PipelineStage[] {model, featurizer});
    PipelineModel fitted = pipeline.fit(Photos.files(3));
    Path alone = directory.resolve("alone");
    Path inPipeline = directory.resolve("pipeline");
    model.save(alone.toString());
    fitted.save(inPipeline.toString());

    List<String> said = elsewhere(alone, inPipeline);

    assertThat(said).hasSize(2 * IMAGES);
    assertThat(said)
        .containsExactlyElementsOf(
            Stream.concat(said(model).stream(), said(fitted).stream()).toList());
    assertThat(said.get(0).split("\t")).hasSize(1 + 3 + 1);
    assertThat(said.get(IMAGES).split("\t")).hasSize(1 + 3 + 1 + 48);
  }

  private static List<String> elsewhere(Path... saved) throws Exception {
    List<String> words = new ArrayList<>();
    words.add(Path.of(System.getProperty("java.home"), "bin/java").toString());
    words.addAll(
        Stream.of("java.lang", "java.lang.invoke", "java.nio", "java.util", "sun.nio.ch")
            .map(name -> "--add-opens=java.base/" + name + "=ALL-UNNAMED")
            .toList());
    words.addAll(
        List.of(
            "--add-modules=jdk.incubator.vector",
            "-cp",
            "target/test-classes:target/mixtraining.jar:target/spark/jars/*",
            SavedModelTest.class.getName()));
    Arrays.stream(saved).map(Path::toString).forEach(words::add);
    Process process =
        new ProcessBuilder(words).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try (var lines = process.inputReader(StandardCharsets.UTF_8)) {
      List<String> said = lines.lines().filter(line -> line.contains(".png\t")).toList();
      assertThat(process.waitFor()).isZero();
      return said;
    }
  }

  /** What happens in the other process: a line for each image. */
  public static void main(String[] saved) {
    SparkSession spark = RawFiles.spark();
    said(MixTrainingClassificationModel.load(saved[0])).forEach(System.out::println);
    said(PipelineModel.load(saved[1])).forEach(System.out::println);
    spark.stop();
  }

  /** Each image's name, probabilities, class and features, if there are some: all their digits. */
  private static List<String> said(Transformer model) {
    Dataset<Row> rows = model.transform(Photos.files(IMAGES));
    List<String> columns =
        Stream.of("probability", "prediction", "features")
            .filter(List.of(rows.columns())::contains)
            .toList();
    return rows.collectAsList().stream()
        .map(
            row ->
                row.getAs("path")
                    + columns.stream()
                        .map(name -> digits(row.getAs(name)))
                        .collect(Collectors.joining("\t", "\t", "")))
        .toList();
  }

  private static String digits(Object value) {
    return value instanceof Vector vector
        ? Arrays.stream(vector.toArray())
            .mapToObj(Double::toHexString)
            .collect(Collectors.joining("\t"))
        : Double.toHexString((Double) value);
  }
}
