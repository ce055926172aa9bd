package org.mixtraining.cli;

import static java.util.stream.Collectors.toMap;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.function.Consumer;
import java.util.function.Function;
import org.mixtraining.checkpoint.Checkpoint;
import org.mixtraining.checkpoint.CheckpointWriter;
import org.mixtraining.checkpoint.Checkpoints;
import org.mixtraining.checkpoint.Checkpoints.Model;
import org.mixtraining.checkpoint.RunLock;
import org.mixtraining.config.ConfigDiff;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.KebabCase;
import org.mixtraining.config.UserException;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.Split;
import org.mixtraining.results.PredictionRow;
import org.mixtraining.results.RunObserver;
import org.mixtraining.results.RunRow;
import org.mixtraining.results.RunRow.Progress;
import org.mixtraining.results.RunSummary;
import org.mixtraining.results.Tables;
import org.mixtraining.run.EpochOutcome;
import org.mixtraining.run.RunState;
import org.mixtraining.train.Prediction;
import org.mixtraining.vit.state.ModelState;

/**
 * A run as it is known by its id, in the hands of this process: however often it is started, it
 * goes on from what is there of it, and ends with the same rows and the same model.
 */
final class RecordedRun implements AutoCloseable {

  private final String id;
  private final JobConfig config;
  private final Tables tables;
  private final Checkpoints checkpoints;
  private final Consumer<String> report;
  private final RunLock lock;
  private Optional<Checkpoint> newest;

  /** What trains the epochs from a state on, and tells of each. */
  @FunctionalInterface
  interface Training {
    /**
     * @throws InterruptedRunException if it is told to stop
     */
    RunState train(RunState from, Consumer<EpochOutcome> epochFinished);
  }

  /**
   * @param report told what is worth knowing
   * @throws UserException if another process is training the run
   */
  RecordedRun(
      String id,
      JobConfig config,
      Tables tables,
      Checkpoints checkpoints,
      Consumer<String> report) {
    this.id = id;
    this.config = config;
    this.tables = tables;
    this.checkpoints = checkpoints;
    this.report = report;
    this.lock = checkpoints.lock(report);
  }

  String id() {
    return id;
  }

  /** Forgets what there is of it. */
  void forget() {
    tables.delete(id);
    checkpoints.delete();
    newest = null;
  }

  /** The newest checkpoint that can be read, if there is any. */
  Optional<Checkpoint> checkpoint() {
    if (newest == null) {
      newest = checkpoints.newest(report);
    }
    return newest;
  }

  /**
   * How it stands, if it was ever started.
   *
   * @throws UserException if that was with another configuration, or its rows are gone
   */
  Optional<RunRow> recorded() {
    Optional<RunRow> row = tables.run(id);
    row.ifPresent(this::checkConfiguration);
    if (row.isEmpty() && checkpoints.exist()) {
      throw new UserException(
          "mixtraining.run.id = %s: there are checkpoints of this run, but no rows; choose another id, or train it anew with --force"
              .formatted(id));
    }
    return row;
  }

  private void checkConfiguration(RunRow row) {
    List<String> problems =
        new ArrayList<>(ConfigDiff.forbidden(row.setup().config(), config.canonical()));
    if (!problems.isEmpty()) {
      problems.add(
          "mixtraining.run.id = %s: this run began with other values; give it those again, choose another id, or train it anew with --force"
              .formatted(id));
      throw new UserException(problems);
    }
  }

  /**
   * Trains what is left of it.
   *
   * @param setup what is asked for
   * @param datasets that of each task
   * @param provenance what it is made with; under {@code dataset.} what must not change on the way
   * @param initial where it begins if nothing of it is there
   * @param observer told of its rows, after the tables and the summary
   * @return its final row
   * @throws InterruptedRunException if the training is told to stop
   */
  RunRow train(
      RunRow.Setup setup,
      Map<String, DatasetManifest> datasets,
      SortedMap<String, String> provenance,
      RunState initial,
      RunObserver observer,
      Training training) {
    Optional<RunRow> before = recorded();
    Optional<Checkpoint> checkpoint = before.flatMap(row -> checkpoint());
    checkpoint.ifPresent(found -> check(found, provenance, initial));
    before.ifPresent(row -> announce(checkpoint, setup.epochsPlanned()));
    RunRecorder recorder =
        new RunRecorder(
            tables,
            id,
            setup,
            datasets,
            before.map(RunRow::started).orElseGet(Instant::now),
            List.of(row -> tables.write(summary(row)), observer),
            checkpoint.map(Checkpoint::progress).orElse(Progress.NONE));
    CheckpointWriter writer = new CheckpointWriter(checkpoints, config, provenance);
    try {
      recorder.started();
      RunState end =
          training.train(
              checkpoint.map(Checkpoint::state).orElse(initial),
              outcome -> {
                lock.check();
                recorder.accept(outcome);
                writer.accept(outcome, recorder.progress());
              });
      checkpoints.tidy(config.checkpoint().keep());
      return recorder.finished(end.model().sha256());
    } catch (InterruptedRunException e) {
      writer.flush();
      recorder.interrupted();
      throw e;
    } catch (RuntimeException | Error e) {
      recordFailure(recorder, e);
      throw e;
    }
  }

  /** It in short. */
  RunSummary summary(RunRow row) {
    return tables.summary(
        row,
        new RunSummary.Models(
            checkpoints.location(Model.BEST).orElse(null),
            checkpoints.location(Model.FINAL).orElse(null)));
  }

  /**
   * Records what the model that was best on validation, or else the final one, says of the test
   * images.
   *
   * @param predictor predicts with a model, by task
   */
  void predict(
      Map<String, DatasetManifest> datasets,
      Function<ModelState, SortedMap<String, List<Prediction>>> predictor) {
    Optional<Checkpoint> best = checkpoints.read(Model.BEST);
    Model kept = best.isPresent() ? Model.BEST : Model.FINAL;
    RunState selected = best.or(() -> checkpoints.read(kept)).orElseThrow().state();
    List<PredictionRow> rows = new ArrayList<>();
    predictor
        .apply(selected.model())
        .forEach(
            (task, predictions) -> {
              List<String> names = datasets.get(task).classes();
              for (Prediction prediction : predictions) {
                rows.add(
                    PredictionRow.of(
                        id,
                        Split.TEST,
                        task,
                        names,
                        prediction,
                        KebabCase.of(kept),
                        selected.epochs()));
              }
            });
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
                        "run %s goes on after epoch %d of %d",
                        id,
                        found.state().epochs(),
                        epochs))
            .orElse("run %s begins again: there is no checkpoint of it".formatted(id)));
  }

  private void check(Checkpoint found, SortedMap<String, String> now, RunState initial) {
    List<String> problems = new ArrayList<>();
    now.forEach(
        (key, value) -> {
          String was = found.provenance().getOrDefault(key, "unknown");
          if (!was.equals(value) && key.startsWith("dataset.")) {
            problems.add(
                "mixtraining.data.path = %s: not the data that run %s began with: %s is %s, and was %s; prepare that again, choose another id, or train it anew with --force"
                    .formatted(config.data().path(), id, key, value, was));
          } else if (!was.equals(value) && key.startsWith("version.")) {
            report.accept(
                "%s is %s, and was %s when run %s began: its bits may differ from those of a run that was never stopped"
                    .formatted(key, value, was, id));
          }
        });
    if (problems.isEmpty() && !sizes(found.state()).equals(sizes(initial))) {
      problems.add(
          "mixtraining.run.id = %s: the checkpoint holds another model, %s instead of %s; choose another id, or train it anew with --force"
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
