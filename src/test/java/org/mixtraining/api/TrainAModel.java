package org.mixtraining.api;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.mixtraining.config.JobConfig;
import org.mixtraining.results.RunSummary;

/** The README's example of training; a test runs it. */
final class TrainAModel {
  private TrainAModel() {}

  /** Takes a configuration file and settings over it. */
  public static void main(String[] args) {
    List<String> settings = Arrays.asList(args).subList(1, args.length);
    JobConfig config = JobConfig.load(Optional.of(Path.of(args[0])), settings);

    // in this process; MixTraining.train(spark, config) trains on a Spark session's executors
    RunSummary run = MixTraining.train(config);
    System.out.printf("%s: test accuracy %.2f%n", run.runId(), run.accuracy().finalTest());
    MixTrainingModel model = MixTrainingModel.load(run.models().last());
    System.out.println(model.classes());
  }
}
