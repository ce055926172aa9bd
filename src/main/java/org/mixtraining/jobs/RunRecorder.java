package org.mixtraining.jobs;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.mixtraining.config.Causes;
import org.mixtraining.data.Split;
import org.mixtraining.results.ClassRow;
import org.mixtraining.results.EpochRow;
import org.mixtraining.results.PredictionRow;
import org.mixtraining.results.RunObserver;
import org.mixtraining.results.RunRow;
import org.mixtraining.results.RunRow.Progress;
import org.mixtraining.results.RunRow.Status;
import org.mixtraining.results.Tables;
import org.mixtraining.results.WorkerRow;
import org.mixtraining.run.EpochOutcome;
import org.mixtraining.run.EpochSink;
import org.mixtraining.run.WorkerShare;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Objective;
import org.mixtraining.train.EpochMetrics;
import org.mixtraining.train.Prediction;
import org.mixtraining.train.Score;
import org.mixtraining.train.Scores;

/**
 * The sink that writes a run's epochs to the result tables, and informs the observers of its rows.
 */
final class RunRecorder implements EpochSink {

  private final Tables tables;
  private final String runId;
  private final Provenance provenance;
  private final Instant started;
  private final List<RunObserver> observers;
  private Progress progress;
  private EpochRow latest;

  /**
   * @param observers told of the run's row when it is written, in this order; of an epoch, with the
   *     run's row that counts it, by {@link #tellEpoch}
   * @param progress of the epochs that are recorded already
   */
  RunRecorder(
      Tables tables,
      String runId,
      Provenance provenance,
      Instant started,
      List<RunObserver> observers,
      Progress progress) {
    this.tables = tables;
    this.runId = runId;
    this.provenance = provenance;
    this.started = started;
    this.observers = List.copyOf(observers);
    this.progress = progress;
  }

  /** The run begins or goes on: one that dies in its first epoch is in the tables too. */
  void started() {
    write(Status.RUNNING, null, null);
  }

  /** What has come of the epochs so far. */
  Progress progress() {
    return progress;
  }

  @Override
  public void write(EpochOutcome outcome) {
    latest = epochRow(outcome);
    List<WorkerRow> shares =
        outcome.workers().stream().map(share -> workerRow(outcome.plan(), share)).toList();
    tables.write(latest);
    tables.write(shares);
    List<ClassRow> byClass =
        classRows(outcome.plan(), Split.VALIDATION, outcome.scores().validation());
    byClass.addAll(classRows(outcome.plan(), Split.TEST, outcome.scores().test()));
    tables.write(byClass);
    progress = progress.plus(latest, shares);
    tables.write(row(Status.RUNNING, null, null));
  }

  /** Tells of the epoch that was written last. */
  void tellEpoch() {
    observers.forEach(observer -> observer.epoch(latest));
    RunRow row = row(Status.RUNNING, null, null);
    observers.forEach(observer -> observer.run(row));
  }

  /** The run is over and its model is the one with this hash. */
  RunRow finished(String stateSha256) {
    return write(Status.FINISHED, null, stateSha256);
  }

  void interrupted() {
    writeInAnyCase(row(Status.INTERRUPTED, null, null));
  }

  void failed(Throwable error) {
    writeInAnyCase(row(Status.FAILED, Causes.reason(error), null));
  }

  /** Spark may be what has failed, or be told to stop. */
  private void writeInAnyCase(RunRow row) {
    tables.writeInAnyCase(row);
    observers.forEach(observer -> observer.run(row));
  }

  private RunRow write(Status status, String error, String stateSha256) {
    RunRow row = row(status, error, stateSha256);
    tables.write(row);
    observers.forEach(observer -> observer.run(row));
    return row;
  }

  private RunRow row(Status status, String error, String stateSha256) {
    return new RunRow(
        runId,
        status,
        started,
        status == Status.RUNNING ? null : Instant.now(),
        error,
        provenance.setup(),
        Versions.provenance(),
        progress,
        stateSha256,
        status == Status.FINISHED
            ? progress.epochsDone() < provenance.setup().epochsPlanned()
            : null);
  }

  private EpochRow epochRow(EpochOutcome outcome) {
    EpochPlan plan = outcome.plan();
    EpochMetrics metrics = outcome.metrics();
    int steps = outcome.rounds().steps();
    return new EpochRow(
        runId,
        plan.epoch() + 1,
        plan.phase(),
        plan.objective(),
        plan.objective() == Objective.JOINT ? plan.input().pass() : null,
        plan.alpha(),
        plan.input() == EncoderInput.FULL ? null : plan.maskRatio(),
        plan.learningRate(0, steps),
        plan.learningRate(steps - 1, steps),
        training(plan, metrics),
        evaluation(outcome),
        new EpochRow.Cost(
            metrics.images(),
            metrics.steps(),
            metrics.flops(),
            metrics.computeSeconds(),
            metrics.waitSeconds(),
            outcome.syncSeconds(),
            outcome.evaluationSeconds(),
            outcome.seconds(),
            outcome.syncBytes(),
            outcome.scores().flops(),
            outcome.scores().deviceSeconds()),
        new EpochRow.Batches(
            steps,
            (double) metrics.images() / steps,
            (double) metrics.images() / metrics.steps(),
            outcome.rounds().count()),
        Instant.now());
  }

  private static EpochRow.Training training(EpochPlan plan, EpochMetrics m) {
    boolean ssl = plan.objective() != Objective.SL;
    boolean sl = plan.objective() != Objective.SSL && m.labelled() > 0;
    return new EpochRow.Training(
        m.loss() / m.images(),
        ssl ? m.sslLoss() / m.images() : null,
        sl ? m.slLoss() / m.labelled() : null,
        sl ? (double) m.correct() / m.labelled() : null);
  }

  private static EpochRow.Evaluation evaluation(EpochOutcome outcome) {
    Scores validation = outcome.scores().validation();
    Scores test = outcome.scores().test();
    return new EpochRow.Evaluation(
        validation.images() == 0 ? null : validation.loss(),
        validation.images() == 0 ? null : validation.accuracy(),
        validation.images() == 0 ? null : validation.topFive(),
        test.images() == 0 ? null : test.loss(),
        test.images() == 0 ? null : test.accuracy(),
        test.images() == 0 ? null : test.topFive());
  }

  private List<ClassRow> classRows(EpochPlan plan, Split split, Scores scores) {
    List<ClassRow> rows = new ArrayList<>();
    scores
        .tasks()
        .forEach(
            (task, score) -> {
              List<String> names = provenance.datasets().get(task).classes();
              for (int label = 0; label < score.classes().size(); label++) {
                Score.OfClass c = score.classes().get(label);
                if (c.images() > 0) {
                  rows.add(
                      new ClassRow(
                          runId,
                          plan.epoch() + 1,
                          split,
                          task,
                          label,
                          names.get(label),
                          c.images(),
                          c.accuracy(),
                          c.topFive(),
                          c.loss()));
                }
              }
            });
    return rows;
  }

  /**
   * Records predictions of test images, by task.
   *
   * @param model the one that predicts, and {@code epochs} those behind it
   */
  void predictions(Map<String, List<Prediction>> byTask, String model, int epochs) {
    List<PredictionRow> rows = new ArrayList<>();
    byTask.forEach(
        (task, predictions) -> {
          List<String> classes = provenance.datasets().get(task).classes();
          for (Prediction said : predictions) {
            rows.add(
                new PredictionRow(
                    runId,
                    Split.TEST,
                    said.id(),
                    task,
                    said.label(),
                    classes.get(said.label()),
                    said.predicted(),
                    classes.get(said.predicted()),
                    said.probability(),
                    model,
                    epochs));
          }
        });
    tables.write(rows);
  }

  private WorkerRow workerRow(EpochPlan plan, WorkerShare share) {
    EpochMetrics m = share.metrics();
    long rss = share.task().peakRssBytes();
    return new WorkerRow(
        runId,
        plan.epoch() + 1,
        share.worker(),
        share.task().host(),
        share.task().executor(),
        share.task().device(),
        m.images(),
        m.steps(),
        m.images() == 0 ? Double.NaN : m.loss() / m.images(),
        share.task().seconds(),
        m.waitSeconds(),
        rss < 0 ? null : rss,
        share.task().offHeapBytes(),
        share.task().attempt(),
        share.weight(),
        share.task().devices());
  }
}
