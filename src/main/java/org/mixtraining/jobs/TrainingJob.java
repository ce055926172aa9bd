package org.mixtraining.jobs;

import static java.util.stream.Collectors.toMap;

import java.time.Instant;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.apache.hadoop.conf.Configuration;
import org.mixtraining.checkpoint.Checkpoint;
import org.mixtraining.checkpoint.CheckpointWriter;
import org.mixtraining.checkpoint.Checkpoints;
import org.mixtraining.checkpoint.Checkpoints.Model;
import org.mixtraining.checkpoint.ModelFile;
import org.mixtraining.checkpoint.RunLock;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.KebabCase;
import org.mixtraining.config.UserException;
import org.mixtraining.config.hocon.ConfigDiff;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.Split;
import org.mixtraining.formats.PretrainedWeights;
import org.mixtraining.results.PredictionRow;
import org.mixtraining.results.RunObserver;
import org.mixtraining.results.RunRow;
import org.mixtraining.results.RunRow.Progress;
import org.mixtraining.results.RunSummary;
import org.mixtraining.results.Tables;
import org.mixtraining.run.Backend;
import org.mixtraining.run.EpochSink;
import org.mixtraining.run.Evaluator;
import org.mixtraining.run.RunState;
import org.mixtraining.run.TrainingData;
import org.mixtraining.run.TrainingLoop;
import org.mixtraining.schedule.MixSchedule;
import org.mixtraining.tracking.Trackers;

/**
 * A run identified by its id and locked by this process: however often it is started, it resumes
 * from its newest checkpoint, and ends with the same rows and the same model.
 */
public final class TrainingJob implements AutoCloseable {

  private final String id;
  private final JobConfig config;
  private final Configuration hadoop;
  private final Tables tables;
  private final Checkpoints checkpoints;
  private final Consumer<String> report;
  private final LongSupplier clock;
  private final RunLock lock;

  /**
   * @param report told what a person should know however little is shown
   * @throws UserException if another process is training the run
   */
  public TrainingJob(String id, JobConfig config, Configuration hadoop, Consumer<String> report) {
    this(id, config, hadoop, report, System::nanoTime);
  }

  /** The same by another clock, in nanoseconds. */
  TrainingJob(
      String id,
      JobConfig config,
      Configuration hadoop,
      Consumer<String> report,
      LongSupplier clock) {
    String output = config.run().output();
    this.id = id;
    this.config = config;
    this.hadoop = hadoop;
    this.tables = new Tables(hadoop, output);
    this.checkpoints = new Checkpoints(hadoop, output, id);
    this.report = report;
    this.clock = clock;
    this.lock = checkpoints.lock(report);
  }

  /** {@code run.id}, or one made of the pipeline, the model and the time. */
  public static String id(JobConfig config) {
    if (!config.run().id().isEmpty()) {
      return config.run().id();
    }
    String time =
        LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT));
    return KebabCase.of(config.pipeline()) + "-" + config.model().preset() + "-" + time;
  }

  /** Deletes the run, except its lock. */
  public void forget() {
    tables.delete(id);
    checkpoints.delete();
  }

  /**
   * The row of a run that is finished already.
   *
   * @throws UserException if the run was started with another configuration, or its rows are gone,
   *     or it is finished and was trained on other images than now lie at its paths
   */
  public Optional<RunRow> finished() {
    Optional<RunRow> row = recorded().filter(found -> found.status() == RunRow.Status.FINISHED);
    List<String> problems = new ArrayList<>();
    row.ifPresent(found -> problems.addAll(RecordedData.problems(hadoop, config, found.setup())));
    if (!problems.isEmpty()) {
      problems.add(
          "mixtraining.run.id = %s: choose another id, or train it again with --force"
              .formatted(id));
      throw new UserException(problems);
    }
    return row;
  }

  private Optional<RunRow> recorded() {
    Optional<RunRow> row = tables.run(id);
    row.ifPresent(this::checkConfiguration);
    if (row.isEmpty() && checkpoints.exist()) {
      throw new UserException(
          "mixtraining.run.id = %s: there are checkpoints of this run, but no rows; choose another id, or train it again with --force"
              .formatted(id));
    }
    return row;
  }

  private void checkConfiguration(RunRow row) {
    List<String> problems =
        new ArrayList<>(ConfigDiff.forbidden(row.setup().config(), config.canonical()));
    if (!problems.isEmpty()) {
      problems.add(
          "mixtraining.run.id = %s: this run started with other values; restore those, choose another id, or train it again with --force"
              .formatted(id));
      throw new UserException(problems);
    }
  }

  /**
   * Trains what is left of the run.
   *
   * @param backends where its epochs are computed
   * @param progress told what is trained
   * @param finished takes each epoch when it has been recorded
   * @return its final row
   * @throws UserException if a dataset is missing, or is not the one that the run began with
   * @throws InterruptedRunException if the interruption is requested
   */
  public RunRow train(
      Function<TrainingData, Backend> backends,
      Interruption interruption,
      Consumer<String> progress,
      EpochSink finished) {
    TrainingData data = TrainingData.open(hadoop, config);
    try (Backend backend = backends.apply(data);
        Trackers trackers = Trackers.of(hadoop, config, id)) {
      RunState random = RunState.initial(data.initialModel());
      Start start = start(Provenance.of(config, data, random.model()), data, random, progress);
      progress.accept(describe(data, random));
      data.notes().forEach(progress);
      return train(start, backend, trackers, interruption, finished);
    }
  }

  /**
   * Where a run begins in this process.
   *
   * @param initial before its first epoch
   * @param reached its newest checkpoint, if there is any that can be read
   */
  record Start(Provenance provenance, RunState initial, Optional<Checkpoint> reached) {}

  /** The newest checkpoint that can be read, if the run was ever started and there is any. */
  Optional<Checkpoint> reached() {
    return recorded().flatMap(row -> checkpoints.newest(report));
  }

  /** The model is random, or {@code init.model}, which is not read again with a checkpoint. */
  private Start start(
      Provenance provenance, TrainingData data, RunState random, Consumer<String> progress) {
    Optional<Checkpoint> reached = reached();
    String file = config.init().model();
    if (file.isEmpty()) {
      return new Start(provenance, random, reached);
    }
    if (reached.isPresent()) {
      return new Start(provenance.begunAs(reached.get().provenance()), random, reached);
    }
    ModelFile model = ModelFile.open(hadoop, "mixtraining.init.model =", file);
    PretrainedWeights weights = model.pretrained();
    RunState begun =
        random.with(
            weights.into(
                data.card().vit(), data.card().heads(), random.model(), config.init().parts()));
    weights.notes().forEach(progress);
    progress.accept(
        "run %s starts from %s (%s)".formatted(id, file, KebabCase.of(config.init().parts())));
    return new Start(provenance.begunFrom(model.sha256()), begun, reached);
  }

  private String describe(TrainingData data, RunState initial) {
    return String.format(
        Locale.ROOT,
        "run %s: %s, %s with %d parameters, %d epochs on %d images of %s, %d workers",
        id,
        KebabCase.of(config.pipeline()),
        config.model().preset(),
        initial.model().parameters(),
        MixSchedule.of(config).epochs().size(),
        data.manifests().values().stream().mapToLong(m -> m.images(Split.TRAIN)).sum(),
        Provenance.paths(config),
        config.workers().count());
  }

  /** Tables are written before the checkpoint that counts on them, and trackers told last. */
  RunRow train(
      Start start,
      Backend backend,
      RunObserver trackers,
      Interruption interruption,
      EpochSink finished) {
    Provenance provenance = start.provenance();
    Optional<RunRow> before = recorded();
    start.reached().ifPresent(found -> check(found, provenance.facts(), start.initial()));
    before.ifPresent(row -> announce(start.reached(), provenance.setup().epochsPlanned()));
    RunRecorder recorder =
        new RunRecorder(
            tables,
            id,
            provenance,
            before.map(RunRow::started).orElseGet(Instant::now),
            List.of(row -> tables.write(summary(row)), trackers),
            start.reached().map(Checkpoint::progress).orElse(Progress.NONE));
    CheckpointWriter writer =
        new CheckpointWriter(checkpoints, config, provenance.facts(), recorder::progress);
    TrainingLoop loop =
        new TrainingLoop(
            config,
            backend.trainer(),
            backend.evaluator(),
            List.of(
                epoch -> lock.check(), recorder, writer, epoch -> recorder.tellEpoch(), finished),
            clock);
    try {
      recorder.started();
      RunState end = loop.run(start.reached().map(Checkpoint::state).orElse(start.initial()));
      predict(backend.evaluator(), provenance.datasets());
      checkpoints.tidy(config.checkpoint().keep());
      return recorder.finished(end.model().sha256());
    } catch (Exception e) { // Spark throws checked ones that it does not declare
      if (interruption.requested()) {
        writer.flush();
        recorder.interrupted();
        throw interrupted(recorder.progress().epochsDone(), e);
      }
      recordFailure(recorder, e);
      throw e;
    } catch (Error e) {
      recordFailure(recorder, e);
      throw e;
    }
  }

  private InterruptedRunException interrupted(int epochs, Throwable cause) {
    return new InterruptedRunException(
        String.format(
            Locale.ROOT,
            "run %s was interrupted after %d finished epochs; run the same command, or train --resume %s, to resume",
            id,
            epochs,
            id),
        cause);
  }

  /** The run in short. */
  public RunSummary summary(RunRow row) {
    return tables.summary(
        row,
        new RunSummary.Models(
            checkpoints.location(Model.BEST).orElse(null),
            checkpoints.location(Model.FINAL).orElse(null)));
  }

  /**
   * Records what the model that was best on validation, or else the final one, says of the test
   * images.
   */
  private void predict(Evaluator evaluator, Map<String, DatasetManifest> datasets) {
    Optional<Checkpoint> best = checkpoints.read(Model.BEST);
    Model kept = best.isPresent() ? Model.BEST : Model.FINAL;
    RunState selected = best.or(() -> checkpoints.read(kept)).orElseThrow().state();
    List<PredictionRow> rows = new ArrayList<>();
    evaluator
        .predict(selected.model(), Split.TEST)
        .forEach(
            (task, predictions) ->
                predictions.forEach(
                    prediction ->
                        rows.add(
                            PredictionRow.of(
                                id,
                                Split.TEST,
                                task,
                                datasets.get(task).classes(),
                                prediction,
                                KebabCase.of(kept),
                                selected.epochs()))));
    lock.check();
    tables.write(rows);
  }

  private void recordFailure(RunRecorder recorder, Throwable failure) {
    try {
      if (lock.isHeld()) {
        recordFailure(recorder, failure, () -> checkpoints.tidy(1));
      }
    } catch (RuntimeException | Error e) {
      failure.addSuppressed(e);
    }
  }

  /**
   * On a full disk the row that says it is running gives its place to the one that says why not.
   */
  private void recordFailure(RunRecorder recorder, Throwable failure, Runnable room) {
    try {
      recorder.failed(failure);
    } catch (RuntimeException e) {
      failure.addSuppressed(e);
      room.run();
      tables.forgetStatus(id);
      recorder.failed(failure);
    }
  }

  private void announce(Optional<Checkpoint> checkpoint, int epochs) {
    report.accept(
        checkpoint
            .map(
                found ->
                    String.format(
                        Locale.ROOT,
                        "run %s resumes after epoch %d of %d",
                        id,
                        found.state().epochs(),
                        epochs))
            .orElse("run %s starts again: it has no checkpoint".formatted(id)));
  }

  private void check(Checkpoint found, SortedMap<String, String> now, RunState initial) {
    List<String> problems = new ArrayList<>();
    now.forEach(
        (key, value) -> {
          String was = found.provenance().getOrDefault(key, "unknown");
          if (!was.equals(value) && key.startsWith("dataset.")) {
            problems.add(
                "mixtraining.data.path = %s: dataset changed since run %s started: %s was %s, now %s; prepare the original dataset again, choose another id, or train it again with --force"
                    .formatted(config.data().path(), id, key, was, value));
          } else if (!was.equals(value) && key.startsWith("version.")) {
            report.accept(
                "%s was %s when run %s started, now %s: its bits may differ from those of an uninterrupted run"
                    .formatted(key, was, id, value));
          }
        });
    if (problems.isEmpty() && !sizes(found.state()).equals(sizes(initial))) {
      problems.add(
          "mixtraining.run.id = %s: the checkpoint holds another model, %s instead of %s; choose another id, or train it again with --force"
              .formatted(id, sizes(found.state()), sizes(initial)));
    }
    if (!problems.isEmpty()) {
      throw new UserException(problems);
    }
  }

  private static Map<String, Integer> sizes(RunState state) {
    return state.model().blocks().entrySet().stream()
        .collect(toMap(Map.Entry::getKey, block -> block.getValue().parameters().length));
  }

  @Override
  public void close() {
    lock.close();
  }
}
