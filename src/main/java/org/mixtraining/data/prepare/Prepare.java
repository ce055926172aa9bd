package org.mixtraining.data.prepare;

import static org.apache.spark.sql.functions.col;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.hadoop.ParquetOutputFormat;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.config.Causes;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.Layout;
import org.mixtraining.config.Location;
import org.mixtraining.config.UserException;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.DatasetManifest.Contents;
import org.mixtraining.data.Sharding;
import org.mixtraining.data.Split;
import org.mixtraining.data.sources.Source;
import org.mixtraining.files.Staging;

/** Preparation of a dataset: image shards from raw images, in Spark tasks. */
public final class Prepare {
  /** What to do with a dataset that is already at {@code data.path}. */
  public enum Existing {
    /** Fail with a message. */
    REFUSE,
    /** Replace it once the new one is complete. */
    REPLACE
  }

  /** Bytes of images that are read together: see {@code data.window}. */
  private static final int ROW_GROUP = 8 << 20;

  private Prepare() {}

  /**
   * Writes the dataset that {@code data} describes to {@code data.path}: {@code
   * images/split=…/shard=…}, {@code quarantine} and {@code dataset.json}. It appears there complete
   * or not at all.
   *
   * @param progress told a line every few seconds
   * @throws UserException if the source cannot be read as its format, too many of its images are
   *     unusable, a key does not fit it, or {@code data.path} is taken
   */
  public static DatasetManifest run(
      SparkSession spark, DataConfig data, Existing existing, Consumer<String> progress) {
    Layout.check(data);
    var hadoop = spark.sparkContext().hadoopConfiguration();
    try (var staging =
        new Staging(
            spark.sparkContext(), Location.path(data.path()), DatasetManifest.FILE, progress)) {
      checkTarget(hadoop, data.path(), existing);
      var source = Source.open(data, hadoop);
      var directory = staging.directory("mixtraining.data.path");
      var raw = new Path(directory, "decoded");
      var decoded = Decoding.run(spark, source, data, raw, progress);
      long quarantined =
          Quarantine.write(
              decoded, data.preparation().maxBadFraction(), new Path(directory, "quarantine"));
      var shards = new Path(directory, "images");
      var contents = write(decoded.where("reason is null"), source, data, shards);
      shards.getFileSystem(hadoop).delete(raw, true);
      var manifest = manifest(spark, source, data, contents, quarantined, shards);
      manifest.write(hadoop, directory);
      staging.publish();
      return manifest;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (Exception e) { // Spark throws checked exceptions that it does not declare
      throw told(e);
    }
  }

  /** Refuses a target that may not be replaced, before any work is done for it. */
  private static void checkTarget(Configuration hadoop, String path, Existing existing)
      throws IOException {
    var target = Location.path(path);
    var fs = target.getFileSystem(hadoop);
    if (!fs.exists(target)) {
      return;
    }
    boolean dataset = DatasetManifest.exists(hadoop, path);
    if (dataset && existing == Existing.REFUSE) {
      throw new UserException(
          "mixtraining.data.path: a dataset already exists at %s; --force replaces it"
              .formatted(path));
    }
    boolean empty =
        fs.getFileStatus(target).isDirectory() && !fs.listStatusIterator(target).hasNext();
    if (!dataset && !empty) {
      throw new UserException(
          "mixtraining.data.path: %s is not a prepared dataset (it has no %s); choose a new directory"
              .formatted(path, DatasetManifest.FILE));
    }
  }

  private static Map<Split, Contents> write(
      Dataset<Row> images, Source source, DataConfig data, Path shards) {
    var heldOut = SplitAssignment.HeldOut.of(source, data);
    var labels = images.select("id", "origin", "label", "hash");
    var assigned = SplitAssignment.of(labels, heldOut).persist();
    try {
      var contents = SplitAssignment.contents(assigned, source.classes().size());
      SplitAssignment.checkTraining(contents);
      SplitAssignment.checkHeldOut(contents, heldOut, source.classes());
      SplitAssignment.checkShards(contents, data.preparation().shards());
      var columns = images.drop("origin", "label", "hash", "reason");
      var known =
          data.raw().format() == DataConfig.Format.CIFAR100
              ? columns
              : columns.drop("fine", "coarse");
      known
          .join(SplitAssignment.sharded(assigned, contents, data.preparation().shards()), "id")
          .repartition(
              Split.values().length * data.preparation().shards(), col("split"), col("shard"))
          // by quantile, so that reading a small fraction can skip row groups; by id, so that the
          // rows do not depend on who came first (a footer does: it lists encodings in a JVM's own
          // order)
          .sortWithinPartitions("split", "shard", "quantile", "id")
          .write()
          .option(ParquetOutputFormat.BLOCK_SIZE, ROW_GROUP)
          .option(ParquetOutputFormat.MIN_ROW_COUNT_FOR_PAGE_SIZE_CHECK, 8)
          .partitionBy("split", "shard")
          .parquet(shards.toString());
      return contents;
    } finally {
      assigned.unpersist();
    }
  }

  private static DatasetManifest manifest(
      SparkSession spark,
      Source source,
      DataConfig data,
      Map<Split, Contents> contents,
      long quarantined,
      Path shards)
      throws IOException {
    var fs = shards.getFileSystem(spark.sparkContext().hadoopConfiguration());
    var images = spark.read().options(Location.LITERALLY).parquet(shards.toString());
    return new DatasetManifest(
        data.raw().format().toString(),
        source.labelKind(),
        source.classes(),
        source.channels(),
        data.preparation().imageSize(),
        data.preparation().imageSize(),
        data.preparation().shards(),
        Sharding.VERSION,
        data.preparation().seed(),
        data.preparation().validation(),
        contents,
        quarantined,
        Measures.normalization(images, source.channels()),
        Measures.fingerprint(images),
        fs.getContentSummary(shards).getLength(),
        source.notes());
  }

  /** The user's message of a task, without Spark's wrapping exceptions. */
  private static RuntimeException told(Exception failure) {
    return Causes.of(failure)
        .filter(UserException.class::isInstance)
        .map(RuntimeException.class::cast)
        .findFirst()
        .orElseGet(
            () ->
                failure instanceof RuntimeException unchecked
                    ? unchecked
                    : new IllegalStateException("preparing the dataset failed", failure));
  }
}
