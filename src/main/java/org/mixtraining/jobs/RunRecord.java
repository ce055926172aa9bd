package org.mixtraining.jobs;

import static java.util.stream.Collectors.toMap;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;
import org.mixtraining.checkpoint.Checkpoint;
import org.mixtraining.checkpoint.Checkpoints;
import org.mixtraining.checkpoint.Checkpoints.Model;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.config.hocon.ConfigDiff;
import org.mixtraining.results.RunRow;
import org.mixtraining.results.RunSummary;
import org.mixtraining.results.Tables;
import org.mixtraining.run.RunState;

/**
 * The rows and checkpoints that a run has left so far, and whether it may be resumed from them.
 *
 * @param report told what a person should know however little is shown
 */
record RunRecord(
    String id, JobConfig config, Tables tables, Checkpoints checkpoints, Consumer<String> report) {

  /** Deletes the run, except its lock. */
  void forget() {
    tables.delete(id);
    checkpoints.delete();
  }

  /**
   * The row of the run.
   *
   * @throws UserException if the run was started with another configuration, or its rows are gone
   */
  Optional<RunRow> row() {
    Optional<RunRow> row = tables.run(id);
    row.ifPresent(this::checkConfiguration);
    if (row.isEmpty() && checkpoints.exist()) {
      throw new UserException(
          "mixtraining.run.id = %s: there are checkpoints of this run, but no rows; choose another id, or train it again with --force"
              .formatted(id));
    }
    return row;
  }

  /**
   * The row of the run if it is finished.
   *
   * @throws UserException as {@link #row}, and if the run was trained on other images than now lie
   *     at its paths
   */
  Optional<RunRow> finished(Configuration hadoop) {
    Optional<RunRow> row = row().filter(found -> found.status() == RunRow.Status.FINISHED);
    UserException.throwAny(
        row.map(found -> RecordedData.problems(hadoop, config, found.setup())).orElse(List.of()),
        "mixtraining.run.id = %s: choose another id, or train it again with --force".formatted(id));
    return row;
  }

  private void checkConfiguration(RunRow row) {
    UserException.throwAny(
        ConfigDiff.forbidden(row.setup().config(), config.canonical()),
        "mixtraining.run.id = %s: this run started with other values; restore those, choose another id, or train it again with --force"
            .formatted(id));
  }

  /** The newest checkpoint that can be read, if there is any. */
  Optional<Checkpoint> newest() {
    return checkpoints.newest(report);
  }

  /** The run in short, by a row of it. */
  RunSummary summary(RunRow row) {
    return tables.summary(
        row,
        new RunSummary.Models(
            checkpoints.location(Model.BEST).orElse(null),
            checkpoints.location(Model.FINAL).orElse(null)));
  }

  /** Says where the run resumes. */
  void announce(Optional<Checkpoint> checkpoint, int epochs) {
    report.accept(
        checkpoint
            .map(
                found ->
                    "run %s resumes after epoch %s of %s"
                        .formatted(id, found.state().epochs(), epochs))
            .orElse("run %s starts again: it has no checkpoint".formatted(id)));
  }

  /**
   * Checks that a checkpoint is of the same data and model.
   *
   * @throws UserException if it is not
   */
  void check(Checkpoint found, SortedMap<String, String> now, RunState initial) {
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
    UserException.throwAny(problems);
  }

  private static Map<String, Integer> sizes(RunState state) {
    return state.model().blocks().entrySet().stream()
        .collect(toMap(Map.Entry::getKey, block -> block.getValue().parameters().length));
  }
}
