package org.mixtraining.ml;

import static org.apache.spark.sql.functions.element_at;
import static org.apache.spark.sql.functions.split;

import java.io.IOException;
import java.util.List;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator;
import org.apache.spark.ml.feature.StringIndexer;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.tuning.CrossValidator;
import org.apache.spark.ml.tuning.ParamGridBuilder;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import scala.collection.JavaConverters;

/** The manual's example of spark.ml; a test runs it. */
final class LearnPhotos {
  private LearnPhotos() {}

  /** Takes a directory with a directory of images per class, and one for what is written. */
  static Dataset<Row> learn(SparkSession spark, String photos, String output) throws IOException {
    Dataset<Row> images =
        spark
            .read()
            .format("binaryFile")
            .option("recursiveFileLookup", true)
            .load(photos)
            .withColumn("kind", element_at(split(functions.col("path"), "/"), -2));

    MixTrainingClassifier classifier =
        new MixTrainingClassifier()
            .setFeaturesCol("content")
            .setKey("run.output", output + "/runs")
            .setKey("model.preset", "vit-nano")
            .setKey("data.image-size", 32)
            .setKey("data.shards", 2)
            .setKey("epochs.ssl", 2)
            .setKey("epochs.sl", 4);
    StringIndexer labels = new StringIndexer().setInputCol("kind").setOutputCol("label");
    Pipeline pipeline = new Pipeline().setStages(new PipelineStage[] {labels, classifier});

    List<String> rates = List.of("0.001", "0.004");
    ParamMap[] two =
        new ParamGridBuilder()
            .addGrid(classifier.key("optimizer.base-lr"), JavaConverters.asScalaBuffer(rates))
            .build();
    CrossValidator validator =
        new CrossValidator()
            .setEstimator(pipeline)
            .setEstimatorParamMaps(two)
            .setEvaluator(new MulticlassClassificationEvaluator().setMetricName("accuracy"))
            .setNumFolds(2);
    PipelineModel best = (PipelineModel) validator.fit(images).bestModel();

    best.write().overwrite().save(output + "/model");
    Dataset<Row> answers = PipelineModel.load(output + "/model").transform(images);
    answers.createOrReplaceTempView("answers");
    return spark.sql(
        "select kind, prediction, count(*) as images, count(error) as unusable from answers"
            + " group by kind, prediction order by kind, images desc");
  }
}
