package org.mixtraining.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import javax.imageio.ImageIO;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.config.UserException;
import org.mixtraining.train.Models;

class MixTrainingModelTest {
  @TempDir static Path directory;
  private static SparkSession spark;
  private static MixTrainingModel model;

  @BeforeAll
  static void begin() throws IOException {
    spark =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", false)
            .config("spark.sql.shuffle.partitions", 1)
            // compiling each query takes longer than interpreting it on so few images
            .config("spark.sql.codegen.wholeStage", false)
            .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
            .getOrCreate();
    spark.sparkContext().setLogLevel("OFF");
    Files.write(directory.resolve("model.zip"), Models.model(Pooling.MEAN, Models.main()).zip());
    model = MixTrainingModel.load(directory.resolve("model.zip").toString());
    Files.createDirectories(directory.resolve("photos"));
    for (int i = 0; i < 3; i++) {
      write(i);
    }
    Files.writeString(directory.resolve("photos/note.png"), "no image");
  }

  private static void write(int number) throws IOException {
    var random = new SplittableRandom(number);
    var image = new BufferedImage(20, 15, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < 300; i++) {
      image.setRGB(i % 20, i / 20, random.nextInt(1 << 24));
    }
    ImageIO.write(image, "png", photo(number).toFile());
  }

  private static Path photo(int number) {
    return directory.resolve(String.format(Locale.ROOT, "photos/%d.png", number));
  }

  @Test
  void anImageIsClassifiedFromAFileAsFromMemory() throws IOException {
    Classification said = model.predict(photo(1));

    assertThat(said.probabilities()).hasSize(5);
    assertThat(said.probabilities().stream().mapToDouble(p -> p).sum()).isCloseTo(1, within(1e-5));
    assertThat(said.probability()).isEqualTo(said.probabilities().get(said.predicted()));
    assertThat(said.probabilities()).allMatch(p -> p <= said.probability());
    assertThat(said.name()).isEqualTo("main " + said.predicted());
    assertThat(model.predict(ImageIO.read(photo(1).toFile()))).isEqualTo(said);
    assertThat(model.predict(photo(2))).isNotEqualTo(said);
  }

  @Test
  void aFileThatIsNoImageSaysSo() {
    assertThatThrownBy(() -> model.predict(directory.resolve("photos/note.png")))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("photos/note.png: neither JPEG nor PNG");
  }

  @Test
  void sparkSaysTheSameByTheFunctionAndByTheTable() throws IOException {
    spark.udf().register("classify", model.udf(spark));
    List<Row> byFunction =
        spark
            .read()
            .format("binaryFile")
            .load(directory + "/photos")
            .selectExpr("path", "classify(content) as said")
            .selectExpr("path", "said.predicted_name", "said.probabilities", "said.error")
            .orderBy("path")
            .collectAsList();
    List<Row> byTable =
        model.predict(spark, directory + "/photos").orderBy("source").collectAsList();

    assertThat(byFunction).hasSize(4);
    assertThat(byTable).hasSize(4);
    for (int i = 0; i < 3; i++) {
      Classification said = model.predict(photo(i));
      for (Row row : List.of(byFunction.get(i), byTable.get(i))) {
        assertThat(row.<String>getAs("predicted_name")).isEqualTo(said.name());
        // Matrix products round as the size of the minibatch has it.
        assertThat(row.<Float>getList(row.fieldIndex("probabilities")))
            .zipSatisfy(said.probabilities(), (p, q) -> assertThat(p).isCloseTo(q, within(1e-6f)));
        assertThat(row.<String>getAs("error")).isNull();
      }
    }
    for (Row row : List.of(byFunction.get(3), byTable.get(3))) {
      assertThat(row.<String>getAs("predicted_name")).isNull();
      assertThat(row.<String>getAs("error")).startsWith("neither JPEG nor PNG");
    }
  }

  @Test
  void sqlAsksForSeveralImagesAtATime() {
    spark.udf().register("classify", model.udf(spark));
    spark.udf().register("classify_all", model.batchUdf(spark));
    spark
        .read()
        .format("binaryFile")
        .load(directory + "/photos")
        .createOrReplaceTempView("some_photos");
    // 140 images, a null among them, are three minibatches.
    List<Row> together =
        spark
            .sql(
                """
                select path, said.probabilities, said.error from (
                  select inline(arrays_zip(photo.path, classify_all(photo.content))) as (path, said)
                  from (
                    select flatten(array_repeat(collect_list(struct(path, content)), 35)) as photo
                    from (select path, if(path like '%/2.png', null, content) as content from some_photos)
                  )
                )
                """)
            .collectAsList();
    Map<String, Row> alone = new HashMap<>();
    spark
        .sql(
            """
            select path, classify(if(path like '%/2.png', null, content)) as said from some_photos
            """)
        .collectAsList()
        .forEach(row -> alone.put(row.getString(0), row.getStruct(1)));

    assertThat(together).hasSize(140);
    for (Row row : together) {
      Row expected = alone.get(row.getString(0));
      assertThat(row.getString(2)).isEqualTo(expected.getString(4));
      if (row.isNullAt(2)) {
        assertThat(row.<Float>getList(1))
            .zipSatisfy(
                expected.<Float>getList(3), (p, q) -> assertThat(p).isCloseTo(q, within(1e-6f)));
      }
    }
    assertThat(together).extracting(row -> row.isNullAt(2)).contains(true, false);
    assertThat(spark.sql("select classify_all(null) is null, size(classify_all(array()))").head())
        .isEqualTo(RowFactory.create(true, 0));
  }

  @Test
  void aModelWithSeveralTasksIsAskedForOne() {
    var several =
        MixTrainingModel.of(
            Models.model(
                Pooling.CLS,
                Models.task("a", 4, 0.5, 0.5, 0.5),
                Models.task("b", 2, 0.1, 0.2, 0.3)));

    assertThat(several.tasks()).containsExactly("a", "b");
    assertThat(several.forTask("b").classes()).containsExactly("b 0", "b 1");
    assertThatThrownBy(() -> several.forTask("c"))
        .isInstanceOf(UserException.class)
        .hasMessage("task: there is no task c; the model has the tasks [a, b]");
  }

  /** What a newcomer reads is what is run here. */
  @Test
  void theExampleOfTheManualRuns() throws IOException {
    String manual = Files.readString(Path.of("src/site/markdown/models.md"));
    String example =
        Files.readString(Path.of("src/test/java/org/mixtraining/api/ClassifyPhotos.java"));
    String body = example.substring(example.indexOf("    MixTrainingModel model"));
    body = body.substring(0, body.indexOf("\n  }\n"));
    assertThat(manual).contains(body.indent(-4).stripTrailing());

    PrintStream out = System.out;
    var printed = new ByteArrayOutputStream();
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      ClassifyPhotos.main(
          new String[] {
            directory + "/model.zip", photo(0).toString(), directory + File.separator + "photos"
          });
    } finally {
      System.setOut(out);
    }
    String text = printed.toString(StandardCharsets.UTF_8);
    assertThat(text).contains("0.png: " + model.predict(photo(0)).name() + ", ");
    assertThat(text).contains("predicted_name").contains("neither JPEG nor PNG");
  }
}
