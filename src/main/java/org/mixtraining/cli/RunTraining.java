package org.mixtraining.cli;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.spark.api.java.JavaSparkContext;
import org.mixtraining.checkpoint.Checkpoint;
import org.mixtraining.checkpoint.ModelFile;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.KebabCase;
import org.mixtraining.config.Secrets;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.Split;
import org.mixtraining.formats.PretrainedWeights;
import org.mixtraining.results.RunRow;
import org.mixtraining.run.EpochOutcome;
import org.mixtraining.run.RunState;
import org.mixtraining.run.TrainingLoop;
import org.mixtraining.schedule.MixSchedule;
import org.mixtraining.spark.SparkBackend;
import org.mixtraining.tracking.Trackers;
import org.mixtraining.vit.state.ModelState;

/** What is left of recorded runs, trained in one Spark session; several threads may ask. */
record RunTraining(JavaSparkContext spark, Interruption interruption) {

  /** SHA-256 of the file that the run began from. */
  private static final String INIT = "init.sha256";

  /**
   * Trains a run to its end.
   *
   * @param report told what is trained
   * @param epochFinished told of each epoch when it has been recorded
   * @throws InterruptedRunException if the training is told to stop
   */
  RunRow train(
      RecordedRun recorded,
      JobConfig config,
      Consumer<String> report,
      Consumer<EpochOutcome> epochFinished) {
    try (SparkBackend run = new SparkBackend(spark, config);
        Trackers trackers = Trackers.of(spark.hadoopConfiguration(), config, recorded.id())) {
      MixSchedule schedule = MixSchedule.of(config);
      SortedMap<String, String> provenance = provenance(run, config.data().labelledFraction());
      RunState initial = beginning(recorded, config, run, provenance, report);
      report.accept(
          String.format(
              Locale.ROOT,
              "run %s: %s, %s with %d parameters, %d epochs on %d images of %s, %d workers",
              recorded.id(),
              KebabCase.of(config.pipeline()),
              config.model().preset(),
              initial.model().parameters(),
              schedule.epochs().size(),
              run.manifests().values().stream().mapToLong(m -> m.images(Split.TRAIN)).sum(),
              paths(config),
              config.workers().count()));
      run.notes().forEach(report);
      return recorded.train(
          setup(config, schedule, initial.model(), run),
          run.manifests(),
          provenance,
          initial,
          trackers,
          interruption.of(
              recorded.id(),
              (from, finished) -> {
                RunState end =
                    new TrainingLoop(
                            config,
                            run.trainer(),
                            run.evaluator(),
                            List.of(finished::accept, epochFinished::accept))
                        .run(from);
                recorded.predict(
                    run.manifests(), model -> run.evaluator().predict(model, Split.TEST));
                return end;
              }));
    }
  }

  /**
   * The state that the run begins with: random weights, or {@code init.model}'s. The latter is not
   * read again once there is a checkpoint.
   */
  private static RunState beginning(
      RecordedRun recorded,
      JobConfig config,
      SparkBackend run,
      SortedMap<String, String> provenance,
      Consumer<String> report) {
    RunState random = run.initialState();
    String file = config.init().model();
    if (file.isEmpty()) {
      return random;
    }
    Optional<Checkpoint> reached = recorded.checkpoint();
    if (reached.isPresent()) {
      provenance.put(INIT, reached.get().provenance().getOrDefault(INIT, "unknown"));
      return random;
    }
    ModelFile model = ModelFile.open(Sessions.hadoop(), "mixtraining.init.model =", file);
    PretrainedWeights donor = model.donor();
    provenance.put(INIT, model.sha256());
    ModelState begun =
        donor.into(run.card().vit(), run.card().heads(), random.model(), config.init().parts());
    donor.notes().forEach(report);
    report.accept(
        "run %s begins from %s (%s)"
            .formatted(recorded.id(), file, KebabCase.of(config.init().parts())));
    return random.with(begun);
  }

  /** What decides about a run's bits besides its configuration. */
  private static SortedMap<String, String> provenance(SparkBackend run, double labelled) {
    Map<String, DatasetManifest> datasets = new TreeMap<>(run.manifests());
    run.sslManifest().ifPresent(ssl -> datasets.put("(ssl)", ssl));
    SortedMap<String, String> provenance = new TreeMap<>();
    datasets.forEach(
        (name, dataset) ->
            dataset
                .identity()
                .forEach((key, value) -> provenance.put("dataset." + name + "." + key, value)));
    run.manifests()
        .forEach(
            (name, dataset) -> {
              long used = dataset.heldOutImages(Split.VALIDATION, labelled);
              if (used < dataset.images(Split.VALIDATION)) { // versions before this used all
                provenance.put("dataset." + name + ".validation-images", String.valueOf(used));
              }
            });
    RunRow.Versions versions = Versions.provenance();
    provenance.put("version.job", versions.jobVersion());
    provenance.put("version.dl4j", versions.dl4jVersion());
    provenance.put("version.java", versions.javaVersion());
    provenance.put(ModelFile.CARD, run.card().json());
    return provenance;
  }

  private static RunRow.Setup setup(
      JobConfig config, MixSchedule schedule, ModelState initial, SparkBackend run) {
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
        .map(DataConfig.Task::path)
        .map(Secrets::inText)
        .collect(Collectors.joining(","));
  }
}
