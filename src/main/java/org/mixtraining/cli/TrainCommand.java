package org.mixtraining.cli;

import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Collection;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.Spelling;
import org.mixtraining.config.UserException;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.Split;
import org.mixtraining.results.RunRow;
import org.mixtraining.results.Tables;
import org.mixtraining.schedule.MixSchedule;
import org.mixtraining.spark.MixTrainingRun;
import org.mixtraining.vit.ModelState;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code train}: one run from its first epoch to its last. */
@Command(
    name = "train",
    mixinStandardHelpOptions = true,
    description = "Trains a model on the shards at data.path and writes the result tables.")
final class TrainCommand implements Callable<Integer> {

  @Mixin private JobOptions options;

  @Option(names = "--dry-run", description = "Print the plan of every epoch and do nothing.")
  private boolean dryRun;

  @Override
  public Integer call() {
    JobConfig config = options.config();
    MixSchedule schedule = MixSchedule.of(config);
    if (dryRun) {
      System.out.println(schedule.describe());
      return 0;
    }
    if (config.workers().device() == JobConfig.Device.GPU) {
      throw new UserException(
          "mixtraining.workers.device = gpu: this build computes on the CPU; allowed: auto, cpu");
    }
    String runId = runId(config);
    try (SparkSession spark = Sessions.workers("train " + runId, config.workers());
        JavaSparkContext context = new JavaSparkContext(spark.sparkContext());
        MixTrainingRun run = new MixTrainingRun(context, config)) {
      Tables tables = new Tables(context.hadoopConfiguration(), config.run().output());
      if (tables.holds(runId)) {
        throw new UserException(
            "mixtraining.run.id = %s: this run is in %s/tables already; choose another id"
                .formatted(runId, config.run().output()));
      }
      RunRow row = train(run, config, runId, schedule, tables);
      System.out.println(summary(row, config));
    }
    return 0;
  }

  private RunRow train(
      MixTrainingRun run, JobConfig config, String runId, MixSchedule schedule, Tables tables) {
    ModelState initial = run.initialState();
    Collection<DatasetManifest> manifests = run.manifests().values();
    options.progress(
        "run %s: %s, %s with %d parameters, %d epochs on %d images of %s, %d workers"
            .formatted(
                runId,
                Spelling.of(config.pipeline()),
                config.model().preset(),
                initial.parameters(),
                schedule.epochs().size(),
                manifests.stream().mapToLong(manifest -> manifest.images(Split.TRAIN)).sum(),
                paths(config),
                config.workers().count()));
    RunRecorder recorder =
        new RunRecorder(tables, runId, setup(config, schedule, initial, run), run.manifests());
    EpochLine line = new EpochLine();
    try {
      ModelState last =
          run.train(
              initial,
              outcome -> {
                recorder.accept(outcome);
                options.progress(line.of(outcome));
              });
      return recorder.finished(last.sha256());
    } catch (RuntimeException e) {
      recorder.failed(e);
      throw e;
    }
  }

  private static RunRow.Setup setup(
      JobConfig config, MixSchedule schedule, ModelState initial, MixTrainingRun run) {
    return new RunRow.Setup(
        config.pipeline(),
        config.model().preset(),
        initial.parameters(),
        config.run().seed(),
        config.workers().count(),
        schedule.epochs().size(),
        paths(config),
        run.manifests().values().stream()
            .map(DatasetManifest::fingerprint)
            .collect(Collectors.joining(",")),
        run.sslManifest().map(DatasetManifest::fingerprint).orElse(null),
        config.canonical());
  }

  private static String paths(JobConfig config) {
    return config.data().labelled().stream()
        .map(JobConfig.Task::path)
        .collect(Collectors.joining(","));
  }

  private static String runId(JobConfig config) {
    if (!config.run().id().isEmpty()) {
      return Tables.checkedRunId(config.run().id());
    }
    String time = LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss"));
    return Spelling.of(config.pipeline()) + "-" + config.model().preset() + "-" + time;
  }

  private static String summary(RunRow row, JobConfig config) {
    RunRow.Progress p = row.progress();
    String accuracy =
        p.finalTestAccuracy() == null
            ? ""
            : String.format(Locale.ROOT, "test accuracy %.2f %%, ", 100 * p.finalTestAccuracy());
    String best =
        p.testAccuracyAtBest() == null || p.bestEpoch() == null
            ? ""
            : String.format(
                Locale.ROOT,
                "%.2f %% after epoch %d, which was best on validation; ",
                100 * p.testAccuracyAtBest(),
                p.bestEpoch());
    return String.format(
        Locale.ROOT,
        "run %s finished%s: %s%s%.1f s, state %s%ntables in %s/tables",
        row.runId(),
        Boolean.TRUE.equals(row.stoppedEarly())
            ? " early, after %d of %d epochs".formatted(p.epochsDone(), row.setup().epochsPlanned())
            : "",
        accuracy,
        best,
        p.seconds(),
        row.stateSha256().substring(0, 12),
        config.run().output());
  }
}
