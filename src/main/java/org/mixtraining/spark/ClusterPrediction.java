package org.mixtraining.spark;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Queue;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;
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

  private static final int BATCH = 64;

  private ClusterPrediction() {}

  /**
   * A row for every image: source, task, predicted, predicted_name, probability, probabilities,
   * error.
   */
  public static Dataset<Row> of(
      SparkSession spark, TrainedModel model, ModelCard.Task task, JavaRDD<Input> images) {
    var context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    var broadcast = context.broadcast(model);
    JavaRDD<Row> rows =
        images.mapPartitions(
            inputs -> new Predicted(new Classifier(broadcast.value(), task, 1), task, inputs));
    return spark.createDataFrame(rows, SCHEMA);
  }

  /** Rows, predicted a minibatch at a time. */
  private static final class Predicted implements Iterator<Row> {
    private final Classifier classifier;
    private final ModelCard.Task task;
    private final Iterator<Input> inputs;
    private final Queue<Row> ready = new ArrayDeque<>();

    Predicted(Classifier classifier, ModelCard.Task task, Iterator<Input> inputs) {
      this.classifier = classifier;
      this.task = task;
      this.inputs = new InterruptibleIterator<>(inputs);
    }

    @Override
    public boolean hasNext() {
      return !ready.isEmpty() || inputs.hasNext();
    }

    @Override
    public Row next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      if (ready.isEmpty()) {
        predict();
      }
      return ready.remove();
    }

    private void predict() {
      List<Input> batch = new ArrayList<>();
      List<byte[]> usable = new ArrayList<>();
      while (batch.size() < BATCH && inputs.hasNext()) {
        Input input = inputs.next();
        batch.add(input);
        if (input.error() == null) {
          usable.add(input.pixels());
        }
      }
      float[][] probabilities = classifier.probabilities(usable);
      int next = 0;
      for (Input input : batch) {
        ready.add(row(input, input.error() == null ? probabilities[next++] : null));
      }
    }

    private Row row(Input input, float[] probabilities) {
      if (probabilities == null) {
        return RowFactory.create(
            input.source(), task.name(), null, null, null, null, input.error());
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
}
