package org.mixtraining.cli;

import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.checkpoint.Checkpoint;
import org.mixtraining.checkpoint.Checkpoints;
import org.mixtraining.checkpoint.Checkpoints.Model;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.KebabCase;
import org.mixtraining.config.UserException;
import org.mixtraining.data.Split;
import org.mixtraining.data.preview.ReconstructionSheet;
import org.mixtraining.jobs.RecordedData;
import org.mixtraining.jobs.Writable;
import org.mixtraining.kernels.Engine;
import org.mixtraining.results.Catalog;
import org.mixtraining.results.FeatureRow;
import org.mixtraining.results.FeatureRow.Method;
import org.mixtraining.results.Format;
import org.mixtraining.results.QueryResult;
import org.mixtraining.results.QueryResult.Heading;
import org.mixtraining.results.RunRow;
import org.mixtraining.results.Tables;
import org.mixtraining.spark.FrozenModel;
import org.mixtraining.train.FeatureClassifier;
import org.mixtraining.train.LinearProbe;
import org.mixtraining.train.NearestNeighbours;
import org.mixtraining.vit.Reconstruction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code evaluate}: the quality of a trained model's features, and its reconstructions. */
@Command(
    name = "evaluate",
    mixinStandardHelpOptions = true,
    description =
        "Evaluates the frozen features of a run's model, by linear probe and k-NN unless one is chosen.")
final class EvaluateCommand implements Callable<Integer> {

  @Mixin private JobOptions options;

  @Option(
      names = "--run",
      paramLabel = "RUN_ID",
      required = true,
      description = "The run to evaluate.")
  private String runId;

  @Option(
      names = "--model",
      paramLabel = "final|best",
      defaultValue = "final",
      description = "The run's last model, or its best on validation (default: final).")
  private Model model;

  @Option(names = "--probe", description = "Linear probe: logistic regression on the features.")
  private boolean probe;

  @Option(
      names = "--knn",
      description = "Weighted k-nearest-neighbour (k-NN) classification of the features.")
  private boolean knn;

  @Option(
      names = "--reconstructions",
      paramLabel = "FILE.png",
      description = "Draw test images, their visible patches, and the model's reconstructions.")
  private Path picture;

  @Option(names = "--json", description = "The result as a JSON array of objects.")
  private boolean json;

  @Override
  public Integer call() {
    String output = options.config().run().output();
    Tables tables = new Tables(Sessions.hadoop(), output);
    RunRow run = options.run("--run", runId);
    Checkpoint checkpoint = checkpoint(output, run);
    Writable.check(Sessions.hadoop(), "mixtraining.run.output =", output);
    JobConfig config = options.over(checkpoint.configuration());
    RecordedData.checkLabelled(Sessions.hadoop(), config, run.setup());
    try (Sessions.Opened opened = Sessions.workers("evaluate " + runId, config.workers(), 1)) {
      SparkSession spark = opened.spark();
      JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
      FrozenModel frozen = new FrozenModel(context, config, checkpoint.state().model());
      if (picture != null) {
        draw(frozen, config, context);
      }
      if (probe || knn || picture == null) {
        List<FeatureRow> rows = judge(frozen);
        Catalog.of(config.results(), Optional.of(spark)).ifPresent(tables::also);
        tables.write(rows);
        System.out.print((json ? Format.JSON : Format.TEXT).print(answer(rows)));
      }
    }
    return 0;
  }

  private Checkpoint checkpoint(String output, RunRow run) {
    return new Checkpoints(Sessions.hadoop(), output, runId)
        .read(model)
        .orElseThrow(
            () ->
                new UserException(
                    "--run %s --model %s: no such model in %s/checkpoints; the run is %s, after %s of %s epochs"
                        .formatted(
                            runId,
                            KebabCase.of(model),
                            output,
                            KebabCase.of(run.status()),
                            run.progress().epochsDone(),
                            run.setup().epochsPlanned())));
  }

  // --- features --------------------------------------------------------------------------------

  private List<FeatureRow> judge(FrozenModel frozen) {
    List<FeatureRow> rows = new ArrayList<>();
    try (Engine engine = Engine.cpu(Runtime.getRuntime().availableProcessors())) {
      for (FrozenModel.TaskFeatures task : frozen.features()) {
        if (knn || !probe) {
          var neighbours = new NearestNeighbours(engine, task.training(), task.classes());
          add(rows, Method.K_NN, task, neighbours);
        }
        if (probe || !knn) {
          var fitted = LinearProbe.fit(engine, task.training(), task.validation(), task.classes());
          fitted.notes().forEach(options::progress);
          add(rows, Method.LINEAR_PROBE, task, fitted);
        }
      }
    }
    return rows;
  }

  private void add(
      List<FeatureRow> rows,
      Method method,
      FrozenModel.TaskFeatures task,
      FeatureClassifier classifier) {
    for (Split split : List.of(Split.VALIDATION, Split.TEST)) {
      var images = split == Split.TEST ? task.test() : task.validation();
      if (images.images() > 0) {
        rows.add(
            new FeatureRow(
                runId,
                KebabCase.of(model),
                method,
                task.task(),
                split,
                images.images(),
                task.training().images(),
                classifier.accuracy(images),
                Instant.now()));
      }
    }
  }

  private static QueryResult answer(List<FeatureRow> rows) {
    return new QueryResult(
        List.of(
            new Heading("model", false),
            new Heading("method", false),
            new Heading("task", false),
            new Heading("training_images", true),
            new Heading("split", false),
            new Heading("images", true),
            new Heading("accuracy", true)),
        rows.stream()
            .map(
                row ->
                    List.<Object>of(
                        row.model(),
                        KebabCase.of(row.method()),
                        row.task(),
                        row.trainingImages(),
                        KebabCase.of(row.split()),
                        row.images(),
                        row.accuracy()))
            .toList());
  }

  // --- reconstructions -------------------------------------------------------------------------

  private void draw(FrozenModel frozen, JobConfig config, JavaSparkContext spark) {
    var sheet =
        new ReconstructionSheet(
            "--reconstructions",
            picture,
            spark.hadoopConfiguration(),
            config.data().labelled().get(0).path(),
            frozen.manifest());
    Reconstruction made =
        frozen
            .reconstruct(sheet.images())
            .orElseThrow(
                () ->
                    new UserException(
                        "--reconstructions %s: run %s has trained no decoder, since its pipeline is %s"
                            .formatted(picture, runId, KebabCase.of(config.pipeline()))));
    sheet.write(
        "run %s, %s model".formatted(runId, KebabCase.of(model)),
        config.model().normPix() ? "mean and contrast of each patch are the original's" : "",
        made.seen(),
        made.completed());
    options.progress("reconstructions of run %s in %s".formatted(runId, picture));
  }
}
