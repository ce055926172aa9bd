package org.mixtraining.spark;

import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;
import org.mixtraining.config.WorkersConfig;
import org.mixtraining.data.sources.Input;
import org.mixtraining.formats.ModelCard;
import org.mixtraining.formats.TrainedModel;
import org.mixtraining.train.Classifier;

/** Predicts images where they are read: in Spark tasks, to which the model is broadcast. */
public final class ClusterPrediction {

  private static final StructType SCHEMA =
      StructType.fromDDL(
          "source STRING COMMENT 'file, and record in it, that the image comes from',"
              + " task STRING COMMENT 'task of the model',"
              + " predicted INT COMMENT 'the most probable class, index from 0; null with an error',"
              + " predicted_name STRING COMMENT 'its name',"
              + " probability FLOAT COMMENT 'its probability, 0 to 1',"
              + " probabilities ARRAY<FLOAT> COMMENT 'of every class, by index',"
              + " error STRING COMMENT 'why the image cannot be used; null if it can'");

  private ClusterPrediction() {}

  /**
   * A row for every image: source, task, predicted, predicted_name, probability, probabilities,
   * error.
   *
   * @param workers whose devices are asked for, where they can predict
   */
  public static Dataset<Row> of(
      SparkSession spark,
      TrainedModel model,
      ModelCard.Task task,
      JavaRDD<Input> images,
      WorkersConfig workers) {
    var context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    var broadcast = context.broadcast(model);
    JavaRDD<Row> rows =
        images.mapPartitions(
            inputs -> {
              var classifier = new Classifier(broadcast.value(), task, TaskDevice.forPrediction());
              return new ByBatches<>(inputs, ByBatches.IMAGES, batch -> rows(classifier, batch));
            });
    WorkerDevices devices = WorkerDevices.of(workers, context.getConf());
    if (devices.scoreModels()) {
      devices.profile(context.sc(), workers.perExecutor()).ifPresent(rows::withResources);
    }
    return spark.createDataFrame(rows, SCHEMA);
  }

  private static List<Row> rows(Classifier classifier, List<Input> batch) {
    List<byte[]> usable =
        batch.stream().filter(input -> input.error() == null).map(Input::pixels).toList();
    Iterator<float[]> probabilities = List.of(classifier.probabilities(usable)).iterator();
    return batch.stream()
        .map(
            input ->
                row(input, classifier.task(), input.error() == null ? probabilities.next() : null))
        .toList();
  }

  private static Row row(Input input, ModelCard.Task task, float[] probabilities) {
    if (probabilities == null) {
      return RowFactory.create(input.source(), task.name(), null, null, null, null, input.error());
    }
    int best = Classifier.mostProbable(probabilities);
    return RowFactory.create(
        input.source(),
        task.name(),
        best,
        task.classes().get(best),
        probabilities[best],
        probabilities,
        null);
  }
}
