package org.mixtraining.ml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.classification.LogisticRegression;
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator;
import org.apache.spark.ml.feature.StringIndexer;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.param.ParamPair;
import org.apache.spark.ml.tuning.CrossValidator;
import org.apache.spark.ml.tuning.CrossValidatorModel;
import org.apache.spark.ml.tuning.ParamGridBuilder;
import org.apache.spark.ml.tuning.TrainValidationSplit;
import org.apache.spark.ml.tuning.TrainValidationSplitModel;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.api.MixTraining;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.RawFiles;
import org.mixtraining.data.prepare.Prepare;
import org.mixtraining.results.RunSummary;
import scala.collection.JavaConverters;

class MixTrainingClassifierTest {
  @TempDir static Path directory;
  private static SparkSession spark;
  private static MixTrainingClassificationModel model;

  @BeforeAll
  static void fit() {
    spark = RawFiles.spark();
    model = Photos.classifier(directory).setKey("run.id", "common").fit(Photos.files(90));
  }

  private static JobConfig config(String... more) {
    List<String> settings = new ArrayList<>(Photos.settings(directory));
    settings.addAll(List.of(more));
    return JobConfig.load(Optional.empty(), settings);
  }

  private static List<Row> sql(String query) {
    return spark.sql(query.formatted(directory.resolve("runs/tables"))).collectAsList();
  }

  // --- fit -------------------------------------------------------------------------------------

  @Test
  void aFitGivesTheBitsOfThePreparedPath() {
    Path table = directory.resolve("table");
    Photos.files(90)
        .selectExpr("struct(image as bytes, path) as image", "cast(label as bigint) as label")
        .write()
        .parquet(table.toString());
    JobConfig config =
        config(
            "run.id=prepared",
            "data.format=parquet",
            "data.source=" + table,
            "data.path=" + directory.resolve("images"));
    Prepare.run(spark, config.data(), Prepare.Existing.REFUSE, line -> {});
    RunSummary prepared = MixTraining.train(spark, config);

    assertThat(prepared.stateSha256()).isNotNull();
    assertThat(sql("select state_sha256 from parquet.`%s/runs/run_id=common`"))
        .containsExactly(RowFactory.create(prepared.stateSha256()));
    var byHand =
        MixTrainingClassificationModel.of(
            spark.sparkContext().hadoopConfiguration(), prepared.models().best());
    assertThat(byHand.model().state().sha256()).isEqualTo(model.model().state().sha256());
  }

  @Test
  void theImagesThatAFitPreparesAreGoneAfterItAndAfterAFailure() throws IOException {
    assertThatThrownBy(
            () -> Photos.classifier(directory).setKey("data.shards", 80).fit(Photos.files(90)))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("mixtraining.data.shards = 80: a shard of the train split");

    try (var files = Files.list(directory.resolve("runs"))) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .contains("tables", "checkpoints")
          .noneMatch(name -> name.startsWith(".fit"));
    }
  }

  @Test
  void labelsMayBeNamesAndThoseWithoutOneAreSeenByTheSelfSupervisedObjectivesAlone() {
    Dataset<Row> images =
        Photos.table(
            "image STRUCT<bytes: BINARY, path: STRING>, kind STRING",
            Photos.rows(
                120,
                i ->
                    new Object[] {
                      RowFactory.create(Photos.png(i), i + ".png"),
                      i < 90 ? Photos.NAMES.get(Photos.label(i)) : null
                    }));

    var fitted =
        Photos.classifier(directory)
            .setLabelCol("kind")
            .setKey("run.id", "names")
            .setKey("workers.count", 1)
            .fit(images);

    assertThat(fitted.classes()).isEqualTo(Photos.NAMES);
    // of 90, 18 are held out to test and 7 a tenth of the rest for validation
    Map<String, Long> seen = new TreeMap<>();
    sql("select objective, images from parquet.`%s/epochs/run_id=names`")
        .forEach(row -> seen.put(row.getString(0), row.getLong(1)));
    assertThat(seen.get("sl")).isBetween(60L, 66L);
    assertThat(seen).containsEntry("ssl", seen.get("sl") + 30);
    assertThat(seen)
        .as("half of those without a label")
        .containsEntry("joint", seen.get("sl") + 15);
  }

  @Test
  void columnsThatCannotBeLearntFromAreNamed() {
    Dataset<Row> images = Photos.files(3);
    assertThatThrownBy(() -> new MixTrainingClassifier().setFeaturesCol("label").fit(images))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "featuresCol = label: is a column of DOUBLE; accepted: binary (JPEG or PNG files, as in content of Spark's format binaryFile), struct<bytes: binary, path: string> (Hugging Face's) or Spark's image schema");
    assertThatThrownBy(() -> new MixTrainingClassifier().setLabelCol("image").fit(images))
        .hasMessage(
            "labelCol = image: is a column of BINARY; accepted: numbers (classes from 0) or strings (their names), null for no label");
    assertThatThrownBy(() -> new MixTrainingClassifier().setFeaturesCol("photo").fit(images))
        .hasMessage("featuresCol = photo: there is no such column; there are [path, image, label]");
    assertThatThrownBy(() -> new MixTrainingClassifier().setPredictionCol("path").fit(images))
        .hasMessage(
            "predictionCol = path: there is such a column already; choose another name, or \"\" for none");
    assertThatThrownBy(
            () ->
                Photos.classifier(directory)
                    .fit(images.withColumn("label", functions.expr("label + 0.5"))))
        .hasStackTraceContaining(
            "labelCol = label: 0.5 is no class; accepted: whole numbers from 0, strings and null");
  }

  @Test
  void paramsAreTheKeysOfTheConfiguration() throws IOException {
    var classifier = new MixTrainingClassifier();

    assertThat(ConfigParams.name("optimizer.base-lr")).isEqualTo("optimizerBaseLr");
    assertThat(classifier.key("optimizer.base-lr"))
        .isEqualTo(classifier.getParam("optimizerBaseLr"));
    assertThat(classifier.explainParam(classifier.key("data.label-fraction")))
        .contains("dataLabelFraction: Share of those images whose labels are used");
    assertThat(Arrays.stream(classifier.params()).map(param -> param.name()))
        .contains("featuresCol", "labelCol", "conf", "epochsSl", "augmentSslRandAugmentOps")
        .doesNotContain("dataSource", "dataFormat", "compareSeeds");
    assertThatThrownBy(() -> classifier.setKey("optimizer.rate", 1))
        .isInstanceOf(UserException.class)
        .hasMessageStartingWith("optimizer.rate: is not a key of a fit; those are [");
    Path file = Files.writeString(directory.resolve("own.conf"), "mixtraining.epochs.sl = none");
    assertThatThrownBy(() -> classifier.setConf(file.toString()).fit(Photos.files(3)))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("mixtraining.epochs.sl = none")
        .hasMessageContaining("own.conf:1");
    assertThatThrownBy(
            () -> new MixTrainingClassifier().setKey("epochs.sl", 0).fit(Photos.files(3)))
        .hasMessage("mixtraining.epochs.sl = 0: a classifier needs supervised epochs");
  }

  // --- transform -------------------------------------------------------------------------------

  @Test
  void aModelAddsClassesAndTheirProbabilities() {
    List<Row> rows = model.transform(Photos.files(30)).collectAsList();

    assertThat(rows).hasSize(30);
    int right = 0;
    for (Row row : rows) {
      double[] probabilities = row.<Vector>getAs("probability").toArray();
      double[] raw = row.<Vector>getAs("rawPrediction").toArray();
      int predicted = (int) row.<Double>getAs("prediction").doubleValue();
      assertThat(probabilities).hasSize(3);
      assertThat(Arrays.stream(probabilities).sum()).isCloseTo(1, within(1e-5));
      assertThat(Arrays.stream(probabilities).max()).hasValue(probabilities[predicted]);
      for (int c = 0; c < 3; c++) {
        assertThat(Math.exp(raw[c])).isCloseTo(probabilities[c], within(1e-9));
      }
      assertThat(row.<String>getAs("error")).isNull();
      right += predicted == row.<Double>getAs("label") ? 1 : 0;
    }
    assertThat(right).isGreaterThan(25);
  }

  @Test
  void imagesMayBeFilesStructsOrPixels() throws IOException {
    Path folder = Files.createDirectories(directory.resolve("photos"));
    for (int i = 0; i < 5; i++) {
      Files.write(folder.resolve(i + ".png"), Photos.png(i));
    }
    Dataset<Row> files = spark.read().format("binaryFile").load(folder.toString());
    Dataset<Row> structs = files.selectExpr("path", "struct(content as bytes, path) as content");
    Dataset<Row> pixels =
        spark
            .read()
            .format("image")
            .load(folder.toString())
            .selectExpr("image.origin as path", "image as content");

    MixTrainingClassificationModel asked = model.copy(ParamMap.empty()).setFeaturesCol("content");
    List<Object> first = probabilities(asked, files);
    assertThat(first).hasSize(5).doesNotContainNull();
    assertThat(probabilities(asked, structs)).isEqualTo(first);
    assertThat(probabilities(asked, pixels)).isEqualTo(first);
  }

  private static List<Object> probabilities(
      MixTrainingClassificationModel asked, Dataset<Row> images) {
    return asked.transform(images).orderBy("path").collectAsList().stream()
        .map(row -> row.getAs("probability"))
        .toList();
  }

  @Test
  void pixelsTrainAsTheFilesTheyCameFrom() throws IOException {
    Path folder = Files.createDirectories(directory.resolve("train"));
    for (int i = 0; i < 90; i++) {
      Files.write(folder.resolve(String.format(Locale.ROOT, "%02d.png", i)), Photos.png(i));
    }
    Dataset<Row> pixels =
        spark
            .read()
            .format("image")
            .load(folder.toString())
            .selectExpr(
                "image",
                "cast(regexp_extract(image.origin, '(\\\\d+).png', 1) % 3 as int) as label")
            .repartition(1)
            .sortWithinPartitions("image.origin");

    var fitted = Photos.classifier(directory).fit(pixels);

    assertThat(fitted.model().state().sha256()).isEqualTo(model.model().state().sha256());
  }

  @Test
  void imagesThatCannotBeUsedAreKeptLeftOutOrRefused() {
    Dataset<Row> images =
        Photos.table(
            "id INT, image BINARY",
            List.of(
                RowFactory.create(0, Photos.png(0)),
                RowFactory.create(1, new byte[] {1, 2, 3}),
                RowFactory.create(2, null),
                RowFactory.create(3, Photos.png(3))));

    List<Row> kept = model.transform(images).collectAsList();
    assertThat(kept).extracting(row -> row.getInt(0)).containsExactly(0, 1, 2, 3);
    assertThat(kept)
        .extracting(row -> row.isNullAt(row.fieldIndex("prediction")))
        .containsExactly(false, true, true, false);
    assertThat(kept.get(1).<String>getAs("error"))
        .isEqualTo("neither JPEG nor PNG: begins with the bytes 01 02 03");
    assertThat(kept.get(2).<String>getAs("error")).isEqualTo("has no bytes");
    assertThat(kept.get(2).<Object>getAs("probability")).isNull();

    var own = model.copy(ParamMap.empty());
    assertThat(own.setHandleInvalid("skip").transform(images).collectAsList())
        .extracting(row -> row.getInt(0))
        .containsExactly(0, 3);
    Dataset<Row> refused = own.setHandleInvalid("error").transform(images); // nothing is read yet
    assertThatThrownBy(refused::collectAsList)
        .hasStackTraceContaining(
            "image: an image cannot be used: neither JPEG nor PNG: begins with the bytes 01 02 03; handleInvalid = keep or skip allows that");
    assertThatThrownBy(() -> own.setHandleInvalid("drop")).hasMessageContaining("handleInvalid");
    assertThat(
            own.setErrorCol("")
                .setRawPredictionCol("")
                .setHandleInvalid("skip")
                .transform(images)
                .columns())
        .containsExactly("id", "image", "probability", "prediction");
  }

  @Test
  void otherColumnsKeepWhatTheyAre() {
    var indexer = new StringIndexer().setInputCol("path").setOutputCol("index");
    Dataset<Row> images = Photos.files(4);
    Dataset<Row> indexed = indexer.fit(images).transform(images);

    Dataset<Row> answered = model.transform(indexed);

    assertThat(answered.schema().apply("index")).isEqualTo(indexed.schema().apply("index"));
    assertThat(answered.select("index").collectAsList())
        .isEqualTo(indexed.select("index").collectAsList());
  }

  // --- pipelines -------------------------------------------------------------------------------

  @Test
  void modelsAreSavedAndLoadedAloneAndInPipelines() throws IOException {
    Path saved = directory.resolve("saved");
    Dataset<Row> images = Photos.files(6);
    List<Object> said = probabilities(model, images);
    var named = model.copy(ParamMap.empty()).setFeaturesCol("image").setErrorCol("why");

    named.write().save(saved.toString());
    var loaded = MixTrainingClassificationModel.load(saved.toString());
    assertThat(loaded.uid()).isEqualTo(model.uid());
    assertThat(loaded.classes()).isEqualTo(model.classes());
    assertThat(loaded.transform(images).columns()).contains("why");
    assertThat(probabilities(loaded, images)).isEqualTo(said);
    assertThatThrownBy(() -> model.save(saved.toString())).hasMessageContaining("already exists");

    var pipeline = new Pipeline().setStages(new PipelineStage[] {model});
    Path whole = directory.resolve("pipeline");
    pipeline.fit(images).write().save(whole.toString());
    List<Row> rows =
        PipelineModel.load(whole.toString()).transform(images).orderBy("path").collectAsList();
    assertThat(rows).extracting(row -> row.<Object>getAs("probability")).isEqualTo(said);
  }

  @Test
  void anEstimatorIsSavedWithWhatIsSet() throws IOException {
    Path saved = directory.resolve("estimator");
    var classifier = Photos.classifier(directory).setLabelCol("kind").setKey("epochs.sl", 7);

    classifier.save(saved.toString());
    var loaded = MixTrainingClassifier.load(saved.toString());

    assertThat(loaded.extractParamMap().toString())
        .isEqualTo(classifier.extractParamMap().toString())
        .contains("-epochsSl: 7", "-labelCol: kind");
  }

  @Test
  void crossValidationAndASplitChooseBetweenSettings() {
    var classifier =
        Photos.classifier(directory)
            .setKey("data.shards", 1)
            .setKey("workers.count", 1)
            .setKey("evaluation.every", 9)
            .setKey("checkpoint.every", 9);
    var indexer = new StringIndexer().setInputCol("kind").setOutputCol("label");
    var pipeline = new Pipeline().setStages(new PipelineStage[] {indexer, classifier});
    ParamMap[] grid =
        new ParamGridBuilder()
            .addGrid(
                classifier.key("optimizer.base-lr"),
                JavaConverters.asScalaBuffer(List.of("0.004", "1e-9")))
            .build();
    var evaluator = new MulticlassClassificationEvaluator().setMetricName("accuracy");
    Dataset<Row> images =
        Photos.files(120)
            .drop("label")
            .selectExpr("*", "concat('k', cast(split(path, '[.]')[0] as int) % 3) as kind");

    CrossValidatorModel chosen =
        new CrossValidator()
            .setEstimator(pipeline)
            .setEstimatorParamMaps(grid)
            .setEvaluator(evaluator)
            .setNumFolds(2)
            .setSeed(1)
            .fit(images);
    assertThat(chosen.avgMetrics()).hasSize(2);
    assertThat(chosen.avgMetrics()[0]).isGreaterThan(chosen.avgMetrics()[1] + 0.2);
    assertThat(evaluator.evaluate(chosen.transform(images))).isGreaterThan(0.8);

    TrainValidationSplitModel split =
        new TrainValidationSplit()
            .setEstimator(pipeline)
            .setEstimatorParamMaps(new ParamMap[] {grid[0]})
            .setEvaluator(evaluator)
            .setTrainRatio(0.7)
            .setSeed(1)
            .fit(images);
    assertThat(split.validationMetrics()[0]).isGreaterThan(0.6);
  }

  @Test
  void featuresAreForAnotherClassifier() throws IOException {
    MixTrainingFeaturizer featurizer = model.featurizer().setInputCol("image");
    Dataset<Row> images = Photos.files(60);
    var pipeline =
        new Pipeline().setStages(new PipelineStage[] {featurizer, new LogisticRegression()});

    PipelineModel fitted = pipeline.fit(images);
    Path saved = directory.resolve("features");
    fitted.save(saved.toString());
    Dataset<Row> answered = PipelineModel.load(saved.toString()).transform(images);

    Row first = answered.first();
    assertThat(first.<Vector>getAs("features").size()).isEqualTo(48);
    assertThat(new MulticlassClassificationEvaluator().setMetricName("accuracy").evaluate(answered))
        .isGreaterThan(0.9);
    assertThat(featurizer.setOutputCol("own").setErrorCol("").transform(images).columns())
        .containsExactly("path", "image", "label", "own");
  }

  // --- what a newcomer reads ---------------------------------------------------------------------

  @Test
  void theExampleOfTheReadmeRuns() throws IOException {
    String example = Files.readString(Path.of("src/test/java/org/mixtraining/ml/LearnPhotos.java"));
    String body = example.substring(example.indexOf("    Dataset<Row> images"));
    body = body.substring(0, body.indexOf("\n  }\n"));
    assertThat(Files.readString(Path.of("src/site/markdown/spark-ml.md")))
        .contains(body.indent(-4).stripTrailing());

    Path photos = directory.resolve("kinds");
    for (int i = 0; i < 60; i++) {
      Path kind = Files.createDirectories(photos.resolve(Photos.NAMES.get(Photos.label(i))));
      Files.write(kind.resolve(i + ".png"), Photos.png(i));
    }
    List<Row> answers =
        LearnPhotos.learn(spark, photos.toString(), directory.resolve("example").toString())
            .collectAsList();
    assertThat(answers.stream().mapToLong(row -> row.getLong(2)).sum()).isEqualTo(60);
    assertThat(answers).allMatch(row -> row.getLong(3) == 0);
  }

  /** What pyspark.ml.wrapper calls on the Java objects of the stages in ml.py. */
  @Test
  void theStagesAnswerWhatPysparkAsks() throws ReflectiveOperationException, IOException {
    String module = Files.readString(Path.of("src/main/resources/org/mixtraining/ml.py"));
    for (Class<?> stage :
        List.of(
            MixTrainingClassifier.class,
            MixTrainingClassificationModel.class,
            MixTrainingFeaturizer.class)) {
      assertThat(module).contains("class " + stage.getSimpleName() + "(_Stage, Java");
      assertThat(stage.getMethod("read").invoke(null)).isInstanceOf(MLReader.class);
    }
    var java = MixTrainingClassifier.class.getConstructor(String.class).newInstance("own");
    for (Param<?> param : java.params()) {
      assertThat(java.hasParam(param.name())).isTrue();
      assertThat(param.parent()).isEqualTo("own");
    }
    ParamPair<Object> pair = java.getParam("epochsSl").w("5");
    java.set(pair);
    assertThat(java.isSet(java.key("epochs.sl"))).isTrue();
    assertThat(java.getOrDefault(java.getParam("epochsSl"))).isEqualTo("5");
  }
}
