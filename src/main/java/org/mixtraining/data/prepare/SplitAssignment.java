package org.mixtraining.data.prepare;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.least;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.round;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.udf;
import static org.apache.spark.sql.functions.when;

import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF3;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.types.DataTypes;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.DatasetManifest.Contents;
import org.mixtraining.data.Note;
import org.mixtraining.data.Notes;
import org.mixtraining.data.Sharding;
import org.mixtraining.data.Split;
import org.mixtraining.data.sources.Source;

/**
 * Assignment of each image to a split, with its quantile: (k + 0.5) / n for the image that is
 * number k of the n of its class in its split, in an order drawn from the seed; and by these its
 * shard.
 */
final class SplitAssignment {
  private SplitAssignment() {}

  /** Shares of the source's training images that are held out, each in [0, 1). */
  record HeldOut(double test, double validation) {
    /** A source's own test and validation images make holding out needless. */
    static HeldOut of(Source source, DataConfig data) {
      return new HeldOut(
          source.has(Split.TEST) ? 0 : data.preparation().test(),
          source.has(Split.VALIDATION) ? 0 : data.preparation().validation());
    }
  }

  /**
   * Assigns every image to a split. Those without a label are trained on, and of every class at
   * least one.
   *
   * @param labels id, origin (the split in the source), label, hash of every image
   * @return id, label, split, k, quantile
   */
  static Dataset<Row> of(Dataset<Row> labels, HeldOut share) {
    var ofClass = Window.partitionBy("origin", "label");
    var training = col("origin").equalTo(Split.TRAIN.key()).and(col("label").geq(0));
    var inTest = col("rank").lt(col("tested"));
    var inValidation = col("rank").lt(col("tested").plus(col("held")));
    return labels
        .withColumn("rank", row_number().over(ofClass.orderBy("hash", "id")).minus(1))
        .withColumn("all", count(lit(1)).over(ofClass))
        .withColumn("tested", when(training, held("all", share.test())).otherwise(0))
        .withColumn("rest", col("all").minus(col("tested")))
        .withColumn("held", when(training, held("rest", share.validation())).otherwise(0))
        .withColumn(
            "split",
            when(inTest, Split.TEST.key())
                .when(inValidation, Split.VALIDATION.key())
                .otherwise(col("origin")))
        .withColumn(
            "n",
            when(inTest, col("tested"))
                .when(inValidation, col("held"))
                .otherwise(col("rest").minus(col("held"))))
        .withColumn(
            "k",
            col("rank")
                .minus(
                    when(inTest, 0)
                        .when(inValidation, col("tested"))
                        .otherwise(col("tested").plus(col("held")))))
        .select(
            col("id"),
            col("label"),
            col("split"),
            col("k").cast("int").as("k"),
            col("k").plus(0.5).divide(col("n")).as("quantile"));
  }

  /** How many of a class are held out: a share, but not all. */
  private static Column held(String of, double share) {
    return least(round(col(of).multiply(share)), col(of).minus(1));
  }

  /**
   * Assigns every image to a shard of its split.
   *
   * @param contents image counts of {@code assigned}
   * @return id, label, split, quantile, shard
   */
  static Dataset<Row> sharded(Dataset<Row> assigned, Map<Split, Contents> contents, int shards) {
    var shardings = new HashMap<String, Sharding>();
    contents.forEach((split, c) -> shardings.put(split.key(), new Sharding(groups(c), shards)));
    UDF3<String, Integer, Integer, Integer> shard =
        (split, label, k) -> shardings.get(split).shard(label + 1, k);
    return assigned
        .withColumn(
            "shard", udf(shard, DataTypes.IntegerType).apply(col("split"), col("label"), col("k")))
        .drop("k");
  }

  /** Images of each class, after those of none. */
  private static List<Long> groups(Contents contents) {
    return Stream.concat(Stream.of(contents.unlabelled()), contents.histogram().stream()).toList();
  }

  /** Images of each split and class. */
  static Map<Split, Contents> contents(Dataset<Row> assigned, int classes) {
    var groups = new EnumMap<Split, Long[]>(Split.class);
    for (Split split : Split.values()) {
      groups.put(split, Collections.nCopies(1 + classes, 0L).toArray(Long[]::new));
    }
    for (Row row : assigned.groupBy("split", "label").count().collectAsList()) {
      groups.get(Split.of(row.getString(0)))[1 + row.getInt(1)] = row.getLong(2);
    }
    var contents = new EnumMap<Split, Contents>(Split.class);
    groups.forEach(
        (split, n) -> contents.put(split, Contents.of(List.of(n).subList(1, 1 + classes), n[0])));
    return contents;
  }

  /** Refuses a source without images to train on. */
  static void checkTraining(Map<Split, Contents> contents) {
    if (contents.get(Split.TRAIN).images() + contents.get(Split.VALIDATION).images() == 0) {
      throw new UserException(
          "mixtraining.data.source: has no usable training images, only %s test images; nothing was written"
              .formatted(contents.get(Split.TEST).images()));
    }
  }

  /** Refuses a validation split that would have no image at all. */
  static void checkHeldOut(Map<Split, Contents> contents, HeldOut shares) {
    long most = Collections.max(contents.get(Split.TRAIN).histogram());
    if (shares.validation() > 0 && contents.get(Split.VALIDATION).images() == 0) {
      throw new UserException(
          "mixtraining.data.validation = %s: too small to hold out an image of any class, of which the largest has %s training images; allowed: %s"
              .formatted(
                  shares.validation(),
                  most,
                  most < 2 ? "0" : String.format(Locale.ROOT, "0, or at least %.3f", 0.5 / most)));
    }
  }

  /** Says which classes have nothing to be tested or to select models on. */
  static List<Note> notes(Map<Split, Contents> contents, HeldOut shares, List<String> classes) {
    var notes = new Notes();
    note(notes, "classes too small for test images", shares.test(), Split.TEST, contents, classes);
    note(
        notes,
        "classes too small for validation images",
        shares.validation(),
        Split.VALIDATION,
        contents,
        classes);
    return notes.list();
  }

  private static void note(
      Notes notes,
      String what,
      double share,
      Split of,
      Map<Split, Contents> contents,
      List<String> classes) {
    List<Long> train = contents.get(Split.TRAIN).histogram();
    List<Long> held = contents.get(of).histogram();
    for (int label = 0; label < classes.size() && share > 0; label++) {
      if (train.get(label) > 0 && held.get(label) == 0) {
        notes.add(what, classes.get(label));
      }
    }
  }

  /**
   * Refuses a shard count that leaves a shard of the training images empty; of fewer held-out
   * images some shards have none.
   */
  static void checkShards(Map<Split, Contents> contents, int shards) {
    long images = contents.get(Split.TRAIN).images();
    if (images < shards) {
      throw new UserException(
          "mixtraining.data.shards = %s: a shard of the train split, which has %s images, would be empty; allowed: 1 to %s"
              .formatted(shards, images, Math.max(1, images)));
    }
  }
}
