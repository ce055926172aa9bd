package org.mixtraining.cli;

import com.typesafe.config.ConfigUtil;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.jobs.Interruption;
import org.mixtraining.jobs.TrainingJob;
import org.mixtraining.jobs.Writable;
import org.mixtraining.results.RunRow;
import org.mixtraining.spark.PlannedWork;
import org.mixtraining.spark.SparkBackend;
import org.mixtraining.spark.TrainingPlugin;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code train}: one run from its first epoch to its last. */
@Command(
    name = "train",
    mixinStandardHelpOptions = true,
    description =
        "Trains a model on the shards at mixtraining.data.path and writes the result tables.")
final class TrainCommand implements Callable<Integer> {

  @Mixin private JobOptions options;

  @Option(
      names = "--dry-run",
      description =
          "Only print the plan of every epoch and the cluster resources that it needs; after prepare, also memory and how batches are shared.")
  private boolean dryRun;

  @Option(
      names = "--resume",
      paramLabel = "RUN_ID",
      description =
          "Resume this run with its original configuration; other settings given must not change its result.")
  private String resume;

  @Option(
      names = "--init",
      paramLabel = "MODEL",
      description =
          "Start from this model (mixtraining.init.model) instead of random weights: a saved model or checkpoint of a run, an exported zip, timm's weights, or a Hugging Face folder. mixtraining.init.parts chooses its parts (default: the encoder).")
  private String init;

  @Option(names = "--force", description = "Delete the run, finished or not, and train it again.")
  private boolean force;

  @Option(
      names = "--json",
      description = "The result as one JSON object: the content of the run's summary.json.")
  private boolean json;

  @Override
  public Integer call() {
    if (init != null) {
      options.override("init.model", ConfigUtil.quoteString(init)); // else a bracket is HOCON
    }
    JobConfig config = resume == null ? options.config() : resumed();
    if (dryRun) {
      System.out.println(PlannedWork.describe(Sessions.hadoop(), config));
      System.out.print(PlannedWork.resources(Sessions.hadoop(), config, 1).describe());
      return 0;
    }
    String runId = resume == null ? TrainingJob.id(config) : resume;
    Configuration hadoop = Sessions.hadoop();
    Writable.check(hadoop, "mixtraining.run.output =", config.run().output());
    try (Interruption interruption = Interruption.bySignal();
        TrainingJob job = new TrainingJob(runId, config, hadoop, options::notice)) {
      if (force) {
        job.forget();
      }
      Optional<RunRow> finished = job.finished();
      finished.ifPresent(
          row ->
              options.progress(
                  "run %s is already finished; --force trains it again".formatted(runId)));
      RunRow row = finished.orElseGet(() -> train(job, runId, config, interruption));
      if (json) {
        System.out.print(job.summary(row).json());
      } else {
        System.out.println(summary(row, config));
      }
    }
    return 0;
  }

  /** The configuration that the run began with, and over it what is given now. */
  private JobConfig resumed() {
    if (force) {
      throw new UserException("--resume and --force: a run is either resumed or trained again");
    }
    return options.over(options.run("--resume", resume).setup().config());
  }

  private RunRow train(TrainingJob job, String runId, JobConfig config, Interruption interruption) {
    EpochLine line = new EpochLine();
    try (Sessions.Opened opened = Sessions.training("train " + runId, config, 1);
        TrainingPlugin.Listening live = TrainingPlugin.listen(new LiveLine(line, options::live))) {
      interruption.cancels(opened.spark().sparkContext());
      JavaSparkContext spark = JavaSparkContext.fromSparkContext(opened.spark().sparkContext());
      return job.train(
          data -> new SparkBackend(spark, data, 1),
          Optional.of(opened.spark()),
          interruption,
          options::progress,
          epoch -> options.progress(line.of(epoch)));
    }
  }

  private static String summary(RunRow row, JobConfig config) {
    RunRow.Progress p = row.progress();
    String accuracy =
        p.finalTestAccuracy() == null
            ? ""
            : String.format(
                Locale.ROOT, "test accuracy %.2f %% at the end, ", 100 * p.finalTestAccuracy());
    String best =
        p.testAccuracyAtBest() == null || p.bestEpoch() == null
            ? ""
            : String.format(
                Locale.ROOT,
                "%.2f %% after epoch %d (best on validation), ",
                100 * p.testAccuracyAtBest(),
                p.bestEpoch());
    return String.format(
        Locale.ROOT,
        "run %s finished%s: %s%s%.1f s, SHA-256 of the state %s%ntables in %s/tables",
        row.runId(),
        Boolean.TRUE.equals(row.stoppedEarly())
            ? " early, after %s of %s epochs".formatted(p.epochsDone(), row.setup().epochsPlanned())
            : "",
        accuracy,
        best,
        p.seconds(),
        row.stateSha256().substring(0, 12),
        config.run().output());
  }
}
