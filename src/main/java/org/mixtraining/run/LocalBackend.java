package org.mixtraining.run;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.SortedMap;
import java.util.function.Function;
import org.mixtraining.config.UserException;
import org.mixtraining.config.WorkersConfig;
import org.mixtraining.data.Split;
import org.mixtraining.kernels.Device;
import org.mixtraining.kernels.Processor;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Rounds;
import org.mixtraining.train.Prediction;
import org.mixtraining.train.Predictor;
import org.mixtraining.train.ReplicaPool;
import org.mixtraining.train.StepListener;
import org.mixtraining.train.TrainingBatch;
import org.mixtraining.vit.state.ModelState;

/**
 * This process as the backend of a run: it trains the workers on the CPU, one after another, to the
 * bits that Spark gives.
 */
public final class LocalBackend implements Backend, EpochTrainer, Evaluator {

  private final TrainingData data;
  private final Device device;

  /**
   * @throws UserException if the configuration asks for GPUs, or for bf16 where the CPU has none
   */
  public LocalBackend(TrainingData data) {
    WorkersConfig workers = data.config().workers();
    if (workers.device() == WorkersConfig.Device.GPU) {
      throw new UserException(
          "mixtraining.workers.device = gpu: without Spark a run is trained on the CPU");
    }
    this.data = data;
    this.device = Device.cpu(workers.threadsPerWorker(), Processor.precision(workers.precision()));
  }

  @Override
  public EpochTrainer trainer() {
    return this;
  }

  @Override
  public Evaluator evaluator() {
    return this;
  }

  @Override
  public EpochResult train(EpochPlan plan, RunState state) {
    String graph = data.graph(plan.objective(), plan.input()).toJson();
    ModelState reached = data.trained(plan, state.model());
    Rounds rounds = data.rounds(plan);
    List<List<WorkerResult>> ends = new ArrayList<>();
    for (Rounds.Round round : rounds.all()) {
      RoundTask task = new RoundTask(plan, graph, reached);
      List<WorkerResult> results = new ArrayList<>();
      for (int worker = 0; worker < data.config().workers().count(); worker++) {
        results.add(train(task, round, state.assignment(), worker));
      }
      reached = RoundAverage.of(results, reached, data.betas(plan.objective()));
      ends.add(results);
    }
    return new EpochResult(
        reached, WorkerShare.of(WorkerResult.epoch(ends)), rounds, 0, state.assignment());
  }

  private WorkerResult train(
      RoundTask task, Rounds.Round round, ShardAssignment assignment, int worker) {
    try (WorkerThreads threads = new WorkerThreads(data.config().workers().threadsPerWorker())) {
      Iterator<TrainingBatch> batches =
          data.batches(task.plan(), round, assignment, worker, TrainingData.Steps.ON_CPU, threads);
      return train(task, worker, device, batches, StepListener.NONE);
    }
  }

  /** A worker's round in this process, on the minibatches given. */
  static WorkerResult train(
      RoundTask task,
      int worker,
      Device device,
      Iterator<TrainingBatch> batches,
      StepListener listener) {
    long start = System.nanoTime();
    String host = InetAddress.getLoopbackAddress().getHostName();
    device.bind();
    return task.train(
        worker,
        device,
        batches,
        listener,
        () -> TaskInfo.here(host, "driver", device, 0, (System.nanoTime() - start) / 1e9));
  }

  @Override
  public EpochScores score(EpochPlan plan, ModelState model) {
    long start = System.nanoTime();
    EpochScores scores =
        inParts(model, part -> part::score).stream().reduce(EpochScores.NONE, EpochScores::plus);
    double seconds = (System.nanoTime() - start) / 1e9 * device.devices();
    return new EpochScores(scores.validation(), scores.test(), data.evaluationFlops(), seconds);
  }

  @Override
  public SortedMap<String, List<Prediction>> predict(ModelState model, Split split) {
    return HeldOutPart.join(
        data.trainsHead()
            ? inParts(model, part -> predictor -> part.predict(predictor, split))
            : List.of());
  }

  /** In as many parts as workers, whose sums are those of Spark's tasks. */
  private <R> List<R> inParts(
      ModelState model, Function<HeldOutPart, Function<Predictor, R>> work) {
    String graph = data.graph(Objective.SL, EncoderInput.FULL).toJson();
    int parts = data.config().workers().count();
    List<R> results = new ArrayList<>();
    device.bind();
    try (ReplicaPool.Lease lease =
        ReplicaPool.borrow(ReplicaPool.Purpose.EVALUATION, graph, device)) {
      Predictor predictor = lease.predictor();
      predictor.load(data.predicting(model));
      for (int part = 0; part < parts; part++) {
        results.add(work.apply(new HeldOutPart(data, part, parts, it -> it)).apply(predictor));
      }
      lease.done();
    }
    return results;
  }

  @Override
  public void close() {
    // Replicas stay in their pool.
  }
}
