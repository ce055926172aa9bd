package org.mixtraining.spark;

import java.util.List;
import java.util.function.Function;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.serializer.JavaSerializer;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.KebabCase;
import org.mixtraining.config.UserException;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.Split;
import org.mixtraining.run.LabelledData;
import org.mixtraining.run.TrainingData;
import org.mixtraining.schedule.MixSchedule;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Checks before a run's first epoch, so that it does not fail in the middle. */
final class Prerequisites {
  private static final Logger LOG = LoggerFactory.getLogger(Prerequisites.class);

  private Prerequisites() {}

  /**
   * @param stateBytes parameters and moments of the model
   * @param trainings runs that are trained side by side in the session
   * @return the data, and where workers keep it
   * @throws UserException if early stopping has nothing to go by, or memory is too small
   */
  static TrainingData check(
      JavaSparkContext spark,
      TrainingData data,
      long stateBytes,
      TrainingData.Steps steps,
      int trainings) {
    JobConfig config = data.config();
    checkEarlyStopping(config, data);
    warnOfUnlabelled(config, data);
    MemoryGiven given = MemoryGiven.to(spark.getConf(), spark.defaultParallelism());
    int tasks = Math.min(given.tasks(), config.workers().count() * trainings);
    int drivers = spark.isLocal() ? trainings : 0; // in the process that computes
    Function<TrainingData, MemoryNeed> need =
        placed ->
            MemoryNeed.of(placed, stateBytes, tasks, steps).besideDrivers(drivers, stateBytes);
    TrainingData placed =
        ImagePlacement.of(data, inMemory -> need.apply(inMemory).problems(given).isEmpty());
    LOG.info(
        "{}, with mixtraining.data.cache = {}",
        need.apply(placed).describe(),
        KebabCase.of(placed.ssl().caching().cache()));
    need.apply(placed).check(given);
    return placed;
  }

  private static void checkEarlyStopping(JobConfig config, TrainingData data) {
    int patience = config.earlyStopping().patience();
    for (LabelledData task : data.labelled()) {
      if (patience > 0 && data.validated(task) == 0) {
        throw new UserException(
            "mixtraining.early-stopping.patience = %s: needs validation images, and %s has none; prepare it again with mixtraining.data.validation above 0, or set 0"
                .formatted(patience, task.dataset().path()));
      }
    }
  }

  private static void warnOfUnlabelled(JobConfig config, TrainingData data) {
    if (!MixSchedule.of(config).needsLabels()) {
      return;
    }
    for (LabelledData task : data.labelled()) {
      DatasetManifest manifest = task.dataset().manifest();
      List<String> classes = manifest.leftOut(Split.TRAIN, config.data().labelledFraction());
      if (!classes.isEmpty()) {
        LOG.warn(
            "{} of {} classes of {} have no labelled image to train on under mixtraining.data.fraction = {} with mixtraining.data.label-fraction = {}: {}",
            classes.size(),
            manifest.classCount(),
            task.dataset().path(),
            config.data().fraction(),
            config.data().labelFraction(),
            classes);
      }
    }
  }

  /**
   * @throws UserException if Spark is set to a serializer that cannot carry what workers send
   */
  static void checkSerializer(SparkConf conf) {
    String java = JavaSerializer.class.getName();
    String serializer = conf.get("spark.serializer", java);
    if (!serializer.equals(java)) {
      throw new UserException(
          "spark.serializer = %s: must be %s, the default; Kryo cannot serialize records, which workers send"
              .formatted(serializer, java));
    }
  }
}
