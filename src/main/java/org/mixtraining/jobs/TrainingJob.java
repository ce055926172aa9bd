package org.mixtraining.jobs;

import java.time.Instant;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.checkpoint.Checkpoint;
import org.mixtraining.checkpoint.CheckpointWriter;
import org.mixtraining.checkpoint.Checkpoints;
import org.mixtraining.checkpoint.Checkpoints.Model;
import org.mixtraining.checkpoint.ModelFile;
import org.mixtraining.checkpoint.RunHeldException;
import org.mixtraining.checkpoint.RunLock;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.KebabCase;
import org.mixtraining.config.UserException;
import org.mixtraining.data.Split;
import org.mixtraining.formats.PretrainedWeights;
import org.mixtraining.formats.TrainedModel;
import org.mixtraining.results.Catalog;
import org.mixtraining.results.RunObserver;
import org.mixtraining.results.RunRow;
import org.mixtraining.results.RunRow.Progress;
import org.mixtraining.results.RunSummary;
import org.mixtraining.results.Tables;
import org.mixtraining.run.Backend;
import org.mixtraining.run.DataChecks;
import org.mixtraining.run.EpochSink;
import org.mixtraining.run.Evaluator;
import org.mixtraining.run.RunState;
import org.mixtraining.run.TrainingData;
import org.mixtraining.run.TrainingLoop;
import org.mixtraining.run.WrittenBeside;
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
  private final RunRecord record;
  private final LongSupplier clock;
  private final RunLock lock;

  /**
   * @param report told what a person should know however little is shown
   * @throws RunHeldException if another process is training the run
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
    this.record = new RunRecord(id, config, tables, checkpoints, report);
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
    record.forget();
  }

  /**
   * The row of a run that is finished already.
   *
   * @throws UserException if the run was started with another configuration, or its rows are gone,
   *     or it is finished and was trained on other images than now lie at its paths
   */
  public Optional<RunRow> finished() {
    return record.finished(hadoop);
  }

  /** The run's rows and checkpoints. */
  RunRecord record() {
    return record;
  }

  /**
   * Trains what is left of the run.
   *
   * @param backends where its epochs are computed
   * @param session of Spark, if there is one, with the catalog that is to have its rows
   * @param progress told what is trained
   * @param finished takes each epoch when it has been recorded
   * @return its final row
   * @throws UserException if a dataset is missing, or is not the one that the run began with
   * @throws InterruptedRunException if the interruption is requested
   */
  public RunRow train(
      Function<TrainingData, Backend> backends,
      Optional<SparkSession> session,
      Interruption interruption,
      Consumer<String> progress,
      EpochSink finished) {
    TrainingData data = TrainingData.open(hadoop, config);
    Catalog.of(config.results(), session).ifPresent(tables::also);
    tables.publish(id);
    try (Backend backend = backends.apply(data);
        Trackers trackers = Trackers.of(hadoop, config, id)) {
      RunState random = RunState.initial(data.initialModel());
      Provenance provenance = Provenance.of(config, data, random.model());
      Start start = start(provenance, data, random, progress);
      progress.accept(provenance.describe(id));
      new DataChecks(data).notes().forEach(progress);
      backend.notes().forEach(progress);
      EpochSink last = finished.and(new AveragingCost(progress));
      RunRow ended = train(start, backend, trackers, interruption, last);
      if (data.trainsHead()) {
        trackers.model(() -> model(ended));
      }
      return ended;
    }
  }

  /**
   * Where a run begins in this process.
   *
   * @param initial before its first epoch
   * @param row that it has, if it was ever started
   * @param reached its newest checkpoint, if there is any that can be read
   */
  record Start(
      Provenance provenance,
      RunState initial,
      Optional<RunRow> row,
      Optional<Checkpoint> reached) {}

  /** The model is random, or {@code init.model}, which is not read again with a checkpoint. */
  private Start start(
      Provenance provenance, TrainingData data, RunState random, Consumer<String> progress) {
    Optional<RunRow> row = record.row();
    Optional<Checkpoint> reached = row.flatMap(found -> record.newest());
    String file = config.init().model();
    if (file.isEmpty()) {
      return new Start(provenance, random, row, reached);
    }
    if (reached.isPresent()) {
      return new Start(provenance.begunAs(reached.get().provenance()), random, row, reached);
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
    return new Start(provenance.begunFrom(model.sha256()), begun, row, reached);
  }

  /** Tables are written before the checkpoint that counts on them, and trackers told last. */
  RunRow train(
      Start start,
      Backend backend,
      RunObserver trackers,
      Interruption interruption,
      EpochSink finished) {
    Provenance provenance = start.provenance();
    Optional<RunRow> before = start.row();
    start.reached().ifPresent(found -> record.check(found, provenance.facts(), start.initial()));
    before.ifPresent(row -> record.announce(start.reached(), provenance.setup().epochsPlanned()));
    RunRecorder recorder =
        new RunRecorder(
            tables,
            id,
            provenance,
            before.map(RunRow::started).orElseGet(Instant::now),
            List.of(row -> tables.write(record.summary(row)), trackers),
            start.reached().map(Checkpoint::progress).orElse(Progress.NONE));
    CheckpointWriter writer =
        new CheckpointWriter(checkpoints, config, provenance.facts(), recorder::progress);
    EpochSink held = epoch -> lock.check();
    WrittenBeside written =
        new WrittenBeside(
            held.and(recorder).and(writer).and(epoch -> recorder.tellEpoch()).and(finished));
    TrainingLoop loop =
        new TrainingLoop(config, backend.trainer(), backend.evaluator(), written, clock);
    try (written) {
      recorder.started();
      RunState from = start.reached().map(Checkpoint::state).orElse(start.initial());
      RunState end = written.all(() -> loop.run(from));
      predict(backend.evaluator(), recorder);
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
        "run %s was interrupted after %s finished epochs; run the same command, or train --resume %s, to resume"
            .formatted(id, epochs, id),
        cause);
  }

  /** The best model on validation, or without validation the last. */
  private TrainedModel model(RunRow ended) {
    return ModelFile.open(hadoop, "model", summary(ended).models().chosen()).model();
  }

  /** The run in short. */
  public RunSummary summary(RunRow row) {
    return record.summary(row);
  }

  /**
   * Records what the model that was best on validation, or else the final one, says of the test
   * images.
   */
  private void predict(Evaluator evaluator, RunRecorder recorder) {
    Optional<Checkpoint> best = checkpoints.read(Model.BEST);
    Model kept = best.isPresent() ? Model.BEST : Model.FINAL;
    RunState selected = best.or(() -> checkpoints.read(kept)).orElseThrow().state();
    var predictions = evaluator.predict(selected.model(), Split.TEST);
    lock.check();
    recorder.predictions(predictions, KebabCase.of(kept), selected.epochs());
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

  @Override
  public void close() {
    lock.close();
  }
}
