package org.mixtraining.data;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.pmod;
import static org.apache.spark.sql.functions.round;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.expressions.Window;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;

/**
 * Which split and shard each image goes to, and its quantile: (k + 0.5) / n for the image that is
 * number k of the n of its class in its split, in an order drawn from the seed.
 */
final class Places {
  private Places() {}

  /**
   * @param labels id, origin (train or test), label, hash of every image
   * @return id, label, split, quantile, shard
   */
  static Dataset<Row> of(Dataset<Row> labels, JobConfig.Data data) {
    var ofClass = Window.partitionBy("origin", "label");
    var training = col("origin").equalTo(Split.TRAIN.key());
    return labels
        .withColumn("rank", row_number().over(ofClass.orderBy("hash", "id")).minus(1))
        .withColumn("all", count(lit(1)).over(ofClass))
        .withColumn(
            "held", when(training, round(col("all").multiply(data.validation()))).otherwise(0))
        .withColumn(
            "split",
            when(col("rank").lt(col("held")), Split.VALIDATION.key()).otherwise(col("origin")))
        .withColumn(
            "n",
            when(col("rank").lt(col("held")), col("held")).otherwise(col("all").minus(col("held"))))
        .withColumn(
            "k", col("rank").minus(when(col("rank").lt(col("held")), 0).otherwise(col("held"))))
        .select(
            col("id"),
            col("label"),
            col("split"),
            col("k").plus(0.5).divide(col("n")).as("quantile"),
            // starting at another shard for each class, so that every fraction fills them evenly
            pmod(col("k").plus(col("label")), lit(data.shards())).cast("int").as("shard"));
  }

  /** Refuses a validation split or a shard count that would leave something empty. */
  static void check(Dataset<Row> places, JobConfig.Data data, List<String> classes) {
    checkValidation(places, data, classes);
    checkShards(places, data);
  }

  private static void checkValidation(
      Dataset<Row> places, JobConfig.Data data, List<String> classes) {
    if (data.validation() == 0) {
      return;
    }
    var held = sum(when(col("split").equalTo(Split.VALIDATION.key()), 1).otherwise(0));
    for (Row row :
        places
            .where(col("split").notEqual(Split.TEST.key()))
            .groupBy("label")
            .agg(count(lit(1)).as("all"), held.as("held"))
            .where("held = 0 OR held = all")
            .orderBy("all", "label")
            .limit(1)
            .collectAsList()) {
      long all = row.getLong(1);
      throw new UserException(
          "data.validation = %s: of the %d training images of class %s it holds out %d, and must leave at least one on either side; allowed: %s"
              .formatted(
                  data.validation(),
                  all,
                  classes.get(row.getInt(0)),
                  row.getLong(2),
                  all < 2 ? "0" : "0, or %.3f to %.3f".formatted(1.0 / all, (all - 1.0) / all)));
    }
  }

  private static void checkShards(Dataset<Row> places, JobConfig.Data data) {
    var shards =
        places.groupBy("split", "shard").count().groupBy("split").agg(count(lit(1)).as("filled"));
    var classes =
        places
            .groupBy("split", "label")
            .count()
            .groupBy("split")
            .agg(sum("count").as("images"), max("count").as("largest"));
    for (Row row :
        shards
            .join(classes, "split")
            .where(col("filled").lt(data.shards()))
            .orderBy("images")
            .limit(1)
            .collectAsList()) {
      throw new UserException(
          "data.shards = %d: a shard of the %s split would be empty, which has %d images, at most %d of a class; allowed: 1 to %d"
              .formatted(
                  data.shards(), row.getString(0), row.getLong(2), row.getLong(3), row.getLong(3)));
    }
  }
}
