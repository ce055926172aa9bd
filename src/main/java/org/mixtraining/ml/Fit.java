package org.mixtraining.ml;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.api.MixTraining;
import org.mixtraining.checkpoint.ModelFile;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.Location;
import org.mixtraining.config.UserException;
import org.mixtraining.data.prepare.Prepare;
import org.mixtraining.formats.TrainedModel;
import org.mixtraining.results.RunSummary;
import org.mixtraining.schedule.MixSchedule;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A run on the images of a DataFrame, which are prepared for as long as it lasts.
 *
 * @param conf a configuration file
 * @param settings {@code key=value} over it
 */
record Fit(Optional<Path> conf, List<String> settings) {
  private static final Logger LOG = LoggerFactory.getLogger(Fit.class);

  /**
   * Trains.
   *
   * @param images image: struct of bytes and path, label: bigint or string; they are numbered in
   *     the order that they have
   * @return the best model on validation, or without validation the last
   * @throws UserException if the configuration or the images are bad
   */
  TrainedModel train(Dataset<Row> images) {
    JobConfig asked = JobConfig.load(conf, settings);
    if (!MixSchedule.of(asked).needsLabels()) {
      throw new UserException(
          "mixtraining.epochs.sl = %s: a classifier needs supervised epochs"
              .formatted(asked.epochs().sl()));
    }
    SparkSession spark = images.sparkSession();
    Configuration hadoop = spark.sparkContext().hadoopConfiguration();
    String place = asked.run().output() + "/.fit-" + UUID.randomUUID();
    try {
      String table = Location.path(place + "/table").toString();
      images.write().parquet(table);
      boolean unlabelled =
          !spark.read().options(Location.LITERALLY).parquet(table).where("label is null").isEmpty();
      JobConfig config = JobConfig.load(conf, settings(asked, place, unlabelled));
      Prepare.run(spark, config.data(), Prepare.Existing.REFUSE, LOG::info);
      RunSummary run = MixTraining.train(spark, config);
      String model = run.models().chosen();
      LOG.info("{}: {}", run.runId(), model);
      return ModelFile.open(hadoop, "model", model).model();
    } finally {
      delete(hadoop, place);
    }
  }

  /** Those of the run: it has a name that no other fit at the same time has. */
  private List<String> settings(JobConfig asked, String place, boolean unlabelled) {
    List<String> all = new ArrayList<>(settings);
    all.addAll(
        List.of(
            "data.format=parquet",
            "data.source=" + place + "/table",
            "data.path=" + place + "/images",
            "data.image=image",
            "data.label=label",
            "data.keep-unlabelled=" + unlabelled));
    if (asked.run().id().isEmpty()) {
      all.add("run.id=fit-" + UUID.randomUUID());
    }
    return all;
  }

  private static void delete(Configuration hadoop, String place) {
    try {
      var path = Location.path(place);
      Location.fileSystem(path, hadoop).delete(path, true);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
