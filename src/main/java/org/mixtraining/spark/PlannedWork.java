package org.mixtraining.spark;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.apache.hadoop.conf.Configuration;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.schedule.MixSchedule;

/** What a run will compute, told before anything of it is trained. */
public final class PlannedWork {

  private PlannedWork() {}

  /**
   * Floating-point operations of training by formula, over the whole schedule; unknown while a
   * dataset is not prepared.
   *
   * @throws org.mixtraining.config.UserException if the datasets do not fit the model or each other
   */
  public static OptionalDouble flops(Configuration hadoop, JobConfig config) {
    if (!isPrepared(hadoop, config)) {
      return OptionalDouble.empty();
    }
    TrainingData data = TrainingData.open(hadoop, config);
    return OptionalDouble.of(
        MixSchedule.of(config).epochs().stream().mapToDouble(data::flops).sum());
  }

  /**
   * What runs take of a cluster of which any may train beside any other: the most that any of them
   * needs, and the workers of the one with most of them.
   *
   * @param configs of all of them, or of those that take most
   * @param trainings that run side by side
   * @throws org.mixtraining.config.UserException if the datasets do not fit the model or each other
   */
  public static ResourcePlan resources(
      Configuration hadoop, List<JobConfig> configs, int trainings) {
    return configs.stream()
        .map(config -> resources(hadoop, config, trainings))
        .reduce(ResourcePlan::both)
        .orElseThrow();
  }

  private static boolean isPrepared(Configuration hadoop, JobConfig config) {
    return config.data().labelled().stream()
            .allMatch(task -> DatasetManifest.exists(hadoop, task.path()))
        && (config.data().ssl().isEmpty() || DatasetManifest.exists(hadoop, config.data().ssl()));
  }

  /**
   * What a run takes of a cluster; its memory is unknown while a dataset is not prepared.
   *
   * @param trainings that run side by side
   * @throws org.mixtraining.config.UserException if the datasets do not fit the model or each other
   */
  public static ResourcePlan resources(Configuration hadoop, JobConfig config, int trainings) {
    if (!isPrepared(hadoop, config)) {
      return new ResourcePlan(config.workers(), trainings, Optional.empty());
    }
    TrainingData data = TrainingData.open(hadoop, config);
    long stateBytes = data.initial().model().bytes();
    int tasks = Math.min(config.workers().perExecutor(), config.workers().count() * trainings);
    MemoryNeed need =
        data.memoryNeed(
            MixSchedule.of(config).epochs(),
            stateBytes,
            tasks,
            WorkerDevices.steps(config.workers().device() == JobConfig.Device.GPU));
    return new ResourcePlan(
        config.workers(), trainings, Optional.of(new ResourcePlan.Need(need, stateBytes)));
  }

  /**
   * Refuses a run that cannot begin.
   *
   * @throws org.mixtraining.config.UserException if a dataset is missing or does not fit
   */
  public static void check(Configuration hadoop, JobConfig config) {
    TrainingData.open(hadoop, config);
  }
}
