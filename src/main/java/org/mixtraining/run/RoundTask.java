package org.mixtraining.run;

import java.util.Iterator;
import java.util.function.Supplier;
import org.mixtraining.kernels.Device;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.train.EpochMetrics;
import org.mixtraining.train.ReplicaPool;
import org.mixtraining.train.StepListener;
import org.mixtraining.train.TrainingBatch;
import org.mixtraining.train.WorkerEpoch;
import org.mixtraining.vit.state.ModelState;

/**
 * A round of an epoch as each of its workers is given it.
 *
 * @param plan the epoch
 * @param graph JSON of the objective's ComputationGraph configuration
 * @param state the blocks that the graph uses, with moments and step counts
 */
public record RoundTask(EpochPlan plan, String graph, ModelState state) {

  /**
   * Trains a worker for the round on the calling thread.
   *
   * @param device to which the thread is bound
   * @param info of the task that trains it, asked for at the end
   * @throws org.mixtraining.train.NonFiniteLossException if a step's loss is NaN or infinite
   */
  public WorkerResult train(
      int worker,
      Device device,
      Iterator<TrainingBatch> minibatches,
      StepListener listener,
      Supplier<TaskInfo> info) {
    if (!minibatches.hasNext()) {
      return new WorkerResult(worker, state, EpochMetrics.NONE, info.get());
    }
    try (ReplicaPool.Lease lease =
        ReplicaPool.borrow(ReplicaPool.Purpose.TRAINING, graph, device)) {
      lease.replica().load(state);
      EpochMetrics metrics =
          WorkerEpoch.run(lease.replica(), lease.executor(), plan, worker, minibatches, listener);
      WorkerResult result = new WorkerResult(worker, lease.replica().state(), metrics, info.get());
      lease.done();
      return result;
    }
  }

  /** The same from where a worker ended. */
  RoundTask after(WorkerResult result) {
    return new RoundTask(plan, graph, result.state());
  }
}
