package org.mixtraining.data.prepare;

import static org.apache.spark.sql.functions.broadcast;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.udf;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.hadoop.ParquetOutputFormat;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.api.java.UDF2;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.unsafe.hash.Murmur3_x86_32;
import org.mixtraining.config.Causes;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.Layout;
import org.mixtraining.config.Location;
import org.mixtraining.config.UserException;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.DatasetManifest.Contents;
import org.mixtraining.data.Normalization;
import org.mixtraining.data.Note;
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

  /**
   * Parquet's options for row groups of 8 MB, the bytes of images that are read together (see
   * {@code data.window}) and that a task holds while it writes.
   */
  static final Map<String, String> IN_ROW_GROUPS =
      Map.of(
          ParquetOutputFormat.BLOCK_SIZE,
          "" + (8 << 20),
          ParquetOutputFormat.MIN_ROW_COUNT_FOR_PAGE_SIZE_CHECK,
          "8");

  /** Images whose assignment takes some 50 MB of the driver and of each executor. */
  static final int FEW_IMAGES = 500_000;

  /** Bytes of images that a task sorts at a time. */
  private static final long PART_BYTES = 256L << 20;

  /** Of Spark's hash partitioning. */
  private static final int HASH_SEED = 42;

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
      var source = Source.open(data, spark);
      var directory = staging.directory("mixtraining.data.path");
      var decoded = Decoding.run(spark, source, data, staging.work(), progress);
      long quarantined =
          Quarantine.write(
              decoded, data.preparation().maxBadFraction(), new Path(directory, "quarantine"));
      var shards = new Path(directory, "images");
      var written = write(decoded.where("reason is null"), source, data, shards);
      shards.getFileSystem(hadoop).delete(staging.work(), true);
      var manifest = manifest(source, data, written, quarantined, size(hadoop, shards));
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

  private static long size(Configuration hadoop, Path directory) throws IOException {
    return directory.getFileSystem(hadoop).getContentSummary(directory).getLength();
  }

  /** What was written, as it was measured. */
  private record Written(
      Map<Split, Contents> contents,
      Normalization normalization,
      String fingerprint,
      List<Note> notes) {}

  private static Written write(Dataset<Row> images, Source source, DataConfig data, Path shards) {
    var heldOut = SplitAssignment.HeldOut.of(source, data);
    var labels = images.select("id", "origin", "label", "hash");
    var assigned = SplitAssignment.of(labels, heldOut).persist();
    try {
      var contents = SplitAssignment.contents(assigned, source.classes().size());
      SplitAssignment.checkTraining(contents);
      SplitAssignment.checkHeldOut(contents, heldOut);
      SplitAssignment.checkShards(contents, data.preparation().shards());
      int tasks = Split.values().length * data.preparation().shards();
      int side = data.preparation().imageSize();
      var slots = slots(tasks);
      UDF2<String, Integer, Integer> ofShard =
          (split, shard) -> slots[Split.of(split).ordinal() * data.preparation().shards() + shard];
      var slot = udf(ofShard, DataTypes.IntegerType);
      joined(
              columns(images, data),
              SplitAssignment.sharded(assigned, contents, data.preparation().shards()),
              contents.values().stream().mapToLong(Contents::images).sum(),
              (long) side * side * source.channels())
          .repartition(tasks, slot.apply(col("split"), col("shard")))
          // by quantile, so that reading a small fraction can skip row groups; by id, so that the
          // rows do not depend on who came first (a footer does: it lists encodings in a JVM's own
          // order)
          .sortWithinPartitions("split", "shard", "quantile", "id")
          .write()
          .options(IN_ROW_GROUPS)
          .partitionBy("split", "shard")
          .parquet(shards.toString());
      var trained = assigned.where(col("split").equalTo(Split.TRAIN.key())).select("id");
      return new Written(
          contents,
          Measures.normalization(
              images.select("id", "sums").join(trained, "id"), source.channels()),
          Measures.fingerprint(images.select("id", "digest")),
          SplitAssignment.notes(contents, heldOut, source.classes()));
    } finally {
      assigned.unpersist();
    }
  }

  /**
   * Images with where they are assigned to. Where they are few, that goes to each executor, and
   * pixels are sent once, to the tasks that write them; else both are sent by id before, in as many
   * parts as their bytes need.
   *
   * @param bytes of an image
   */
  static Dataset<Row> joined(Dataset<Row> images, Dataset<Row> assigned, long count, long bytes) {
    if (count <= FEW_IMAGES) {
      return images.join(broadcast(assigned), "id");
    }
    int parts = Math.toIntExact(Math.max(8, count * bytes / PART_BYTES));
    return images.repartition(parts, col("id")).join(assigned, "id");
  }

  /**
   * Numbers that Spark's hash sends to tasks of their own, so that each task writes one shard:
   * their own hashes would leave some tasks several shards and others none.
   */
  private static int[] slots(int tasks) {
    var slots = new int[tasks];
    var found = new BitSet();
    for (int number = 0; found.cardinality() < tasks; number++) {
      int task = Math.floorMod(Murmur3_x86_32.hashInt(number, HASH_SEED), tasks);
      if (!found.get(task)) {
        slots[found.cardinality()] = number;
        found.set(task);
      }
    }
    return slots;
  }

  /** What shards hold of an image, but for what it is assigned to. */
  private static Dataset<Row> columns(Dataset<Row> images, DataConfig data) {
    var columns = images.drop("origin", "label", "hash", "digest", "sums", "reason");
    var stored =
        data.preparation().storage() == DataConfig.Preparation.Storage.SMALLER
            ? columns
            : columns.drop("file");
    return data.raw().format() == DataConfig.Format.CIFAR100
        ? stored
        : stored.drop("fine", "coarse");
  }

  private static DatasetManifest manifest(
      Source source, DataConfig data, Written written, long quarantined, long bytes) {
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
        written.contents(),
        quarantined,
        written.normalization(),
        written.fingerprint(),
        bytes,
        Stream.concat(source.notes().stream(), written.notes().stream()).toList());
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
