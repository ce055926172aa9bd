package org.mixtraining.data;

import static org.apache.spark.sql.functions.col;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.config.Causes;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.DatasetManifest.Contents;

/** Makes a dataset of image shards out of raw images, in Spark tasks. */
public final class Prepare {
  /** What to do with a dataset that is already at {@code data.path}. */
  public enum Existing {
    /** Leave it, and say so. */
    REFUSE,
    /** Replace it once the new one is complete. */
    REPLACE
  }

  private Prepare() {}

  /**
   * Writes the dataset that {@code data} describes to {@code data.path}: {@code
   * images/split=…/shard=…} and {@code dataset.json}. It appears there complete or not at all.
   *
   * @throws UserException if the source cannot be read as its format, a key does not fit it, or
   *     {@code data.path} is taken
   */
  public static DatasetManifest run(SparkSession spark, JobConfig.Data data, Existing existing) {
    var hadoop = spark.sparkContext().hadoopConfiguration();
    try (var staging = new Staging(hadoop, data.path(), existing)) {
      var source = Source.open(data, hadoop);
      var shards = new Path(staging.directory(), "images");
      var contents = write(new RawTables(spark, source, hadoop), source, data, shards);
      var manifest = manifest(spark, source, data, contents, shards);
      manifest.write(hadoop, staging.directory());
      staging.publish();
      return manifest;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (Exception e) { // Spark throws checked exceptions that it does not declare
      throw told(e);
    }
  }

  private static Map<Split, Contents> write(
      RawTables raw, Source source, JobConfig.Data data, Path shards) {
    var places = Places.of(raw.labels(data.seed()), data).persist();
    try {
      var contents = Places.contents(places, source.classes().size());
      Places.checkValidation(contents, data.validation(), source.classes());
      Places.checkShards(contents, data.shards());
      Dataset<Row> images = raw.images().join(places, "id");
      images
          .repartition(Split.values().length * data.shards(), col("split"), col("shard"))
          // by quantile, so that reading a small fraction can skip pages
          .sortWithinPartitions("split", "shard", "quantile")
          .write()
          .partitionBy("split", "shard")
          .parquet(shards.toString());
      return contents;
    } finally {
      places.unpersist();
    }
  }

  private static DatasetManifest manifest(
      SparkSession spark,
      Source source,
      JobConfig.Data data,
      Map<Split, Contents> contents,
      Path shards)
      throws IOException {
    var fs = shards.getFileSystem(spark.sparkContext().hadoopConfiguration());
    var images = spark.read().parquet(shards.toString());
    return new DatasetManifest(
        data.format(),
        source.labelKind(),
        source.classes(),
        Source.CHANNELS,
        Source.SIZE,
        Source.SIZE,
        data.shards(),
        data.seed(),
        data.validation(),
        contents,
        Measures.normalization(images),
        Measures.fingerprint(images),
        fs.getContentSummary(shards).getLength());
  }

  /** What a task told the user, freed of what Spark wraps around it. */
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
