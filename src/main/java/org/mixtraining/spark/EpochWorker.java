package org.mixtraining.spark;

import java.io.Serializable;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.Function2;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.TaskCompletionListener;
import org.mixtraining.kernels.Device;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.run.RoundTask;
import org.mixtraining.run.ShardAssignment;
import org.mixtraining.run.TaskInfo;
import org.mixtraining.run.WorkerResult;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Rounds;
import org.mixtraining.spark.exchange.StateExchange;
import org.mixtraining.train.StepListener;
import org.mixtraining.train.TrainingBatch;

/**
 * Trains one partition of a round: partition w is worker w's minibatches, read, augmented and
 * trained on one after another inside the task.
 *
 * <p>The graph is configured from JSON and loaded with the state that the round begins with, step
 * counts included: dl4j-spark's own workers begin each averaging period with the counts at zero,
 * because ComputationGraphConfiguration.clone() drops them, and with them bias correction and
 * schedule.
 *
 * @param setup of the run's tasks
 * @param epoch of all its rounds
 * @param state reads what the round begins with
 */
record EpochWorker(
    Broadcast<TaskSetup> setup,
    Broadcast<Epoch> epoch,
    Rounds.Round round,
    StateExchange.Reader state)
    implements Function2<Integer, Iterator<TrainingBatch>, Iterator<WorkerResult>> {

  /**
   * Time that a worker without progress has to end once it is interrupted, if it may be without for
   * as long.
   */
  private static final Duration TO_END = Duration.ofSeconds(30);

  /** Exit code of an executor whose worker did not. */
  private static final int STALLED = 70;

  /**
   * What the tasks of an epoch need besides the state.
   *
   * @param graph JSON of the objective's ComputationGraph configuration
   */
  record Epoch(EpochPlan plan, String graph, ShardAssignment assignment) implements Serializable {}

  /** Worker w's minibatches of the round, made in the task as they are asked for. */
  Iterator<TrainingBatch> minibatches(int worker) {
    TaskSetup run = setup.value();
    Epoch all = epoch.value();
    int threads = run.data().config().workers().threadsPerWorker();
    return run.data()
        .batches(
            all.plan, round, all.assignment, worker, run.devices().steps(), untilTaskEnds(threads));
  }

  /** Threads for the running task, which end with it, however it ends. */
  private static WorkerThreads untilTaskEnds(int threads) {
    WorkerThreads own = new WorkerThreads(threads);
    TaskContext.get().addTaskCompletionListener((TaskCompletionListener) task -> own.close());
    return own;
  }

  @Override
  public Iterator<WorkerResult> call(Integer worker, Iterator<TrainingBatch> minibatches) {
    Duration limit = setup.value().data().config().workers().stall();
    Duration grace = limit.compareTo(TO_END) < 0 ? limit : TO_END;
    StallWatch watch = new StallWatch("worker " + worker, limit, grace, EpochWorker::exit);
    return watch.during(() -> train(worker, minibatches, watch));
  }

  /** An executor; a driver that trains itself has no other place for the task. */
  private static void exit() {
    if (!SparkEnv.get().executorId().equals("driver")) {
      Runtime.getRuntime().halt(STALLED);
    }
  }

  private Iterator<WorkerResult> train(
      Integer worker, Iterator<TrainingBatch> minibatches, StallWatch watch) {
    long start = System.nanoTime();
    RoundTask task = new RoundTask(epoch.value().plan, epoch.value().graph, state.read());
    Device device = setup.value().devices().ofTask();
    device.bind();
    WorkerResult result =
        task.train(
            worker,
            device,
            new InterruptibleIterator<>(minibatches),
            listener(task.plan(), worker, watch),
            () -> info(device, start));
    return List.of(result).iterator();
  }

  private static StepListener listener(EpochPlan plan, int worker, StallWatch watch) {
    StepListener progress = ExecutorProgress.ofTask(plan, worker);
    return (done, steps, soFar) -> {
      watch.progress();
      progress.step(done, steps, soFar);
    };
  }

  private static TaskInfo info(Device device, long start) {
    return TaskInfo.here(
        SparkEnv.get().blockManager().blockManagerId().host(),
        SparkEnv.get().executorId(),
        device,
        TaskContext.get().attemptNumber(),
        (System.nanoTime() - start) / 1e9);
  }
}
