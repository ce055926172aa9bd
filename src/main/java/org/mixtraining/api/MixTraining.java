package org.mixtraining.api;

import java.util.Optional;
import java.util.function.Function;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.checkpoint.RunHeldException;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.Layout;
import org.mixtraining.config.UserException;
import org.mixtraining.jobs.Interruption;
import org.mixtraining.jobs.TrainingJob;
import org.mixtraining.jobs.Writable;
import org.mixtraining.results.RunRow;
import org.mixtraining.results.RunSummary;
import org.mixtraining.run.Backend;
import org.mixtraining.run.LocalBackend;
import org.mixtraining.run.TrainingData;
import org.mixtraining.spark.SparkBackend;

/**
 * Trains from a Java program what {@code submit/mixtraining train} trains, with the same tables,
 * checkpoints and models in {@code run.output}. A run that is there already is resumed; of one that
 * is finished the summary is returned.
 */
public final class MixTraining {

  private MixTraining() {}

  /**
   * Trains in this process, without Spark: its workers one after another, on the CPU.
   *
   * @param config whose {@code data.path} is prepared
   * @throws UserException if the configuration or the data is bad
   * @throws RunHeldException if another process is training the run
   */
  public static RunSummary train(JobConfig config) {
    return train(new Configuration(), config, LocalBackend::new, Optional.empty());
  }

  /** The same on the executors of a Spark session. */
  public static RunSummary train(SparkSession session, JobConfig config) {
    JavaSparkContext spark = JavaSparkContext.fromSparkContext(session.sparkContext());
    return train(
        spark.hadoopConfiguration(),
        config,
        data -> new SparkBackend(spark, data, 1),
        Optional.of(session));
  }

  private static RunSummary train(
      Configuration hadoop,
      JobConfig config,
      Function<TrainingData, Backend> backends,
      Optional<SparkSession> session) {
    Layout.check(config);
    Writable.check(hadoop, "mixtraining.run.output =", config.run().output());
    try (Interruption never = new Interruption();
        TrainingJob job = new TrainingJob(TrainingJob.id(config), config, hadoop, line -> {})) {
      RunRow row =
          job.finished()
              .orElseGet(() -> job.train(backends, session, never, line -> {}, epoch -> {}));
      return job.summary(row);
    }
  }
}
