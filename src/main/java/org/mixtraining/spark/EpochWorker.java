package org.mixtraining.spark;

import java.util.Iterator;
import java.util.List;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.Function2;
import org.apache.spark.broadcast.Broadcast;
import org.mixtraining.kernels.Device;
import org.mixtraining.run.TaskInfo;
import org.mixtraining.run.WorkerResult;
import org.mixtraining.train.EpochMetrics;
import org.mixtraining.train.ReplicaPool;
import org.mixtraining.train.TrainingBatch;
import org.mixtraining.train.WorkerEpoch;

/**
 * Trains one partition of an epoch: partition w is worker w's minibatches, read, augmented and
 * trained on one after another inside the task.
 *
 * <p>The graph is configured from JSON and loaded with the broadcast state, step counts included:
 * dl4j-spark's own workers begin each averaging period with the counts at zero, because
 * ComputationGraphConfiguration.clone() drops them, and with them bias correction and schedule.
 */
final class EpochWorker
    implements Function2<Integer, Iterator<TrainingBatch>, Iterator<WorkerResult>> {
  private static final long serialVersionUID = 1L;

  private final Broadcast<EpochTask> broadcast;

  EpochWorker(Broadcast<EpochTask> broadcast) {
    this.broadcast = broadcast;
  }

  @Override
  public Iterator<WorkerResult> call(Integer worker, Iterator<TrainingBatch> minibatches) {
    long start = System.nanoTime();
    EpochTask task = broadcast.value();
    Device device = task.devices().ofTask();
    device.bind();
    if (!minibatches.hasNext()) {
      return List.of(new WorkerResult(worker, task.state(), EpochMetrics.NONE, task(device, start)))
          .iterator();
    }
    try (ReplicaPool.Lease lease =
        ReplicaPool.borrow(ReplicaPool.Purpose.TRAINING, task.graph(), device)) {
      lease.replica().load(task.state());
      EpochMetrics metrics =
          WorkerEpoch.run(
              lease.replica(),
              lease.executor(),
              task.plan(),
              worker,
              new InterruptibleIterator<>(minibatches),
              ExecutorProgress.ofTask(task.plan(), worker));
      return List.of(
              new WorkerResult(worker, lease.replica().state(), metrics, task(device, start)))
          .iterator();
    }
  }

  private static TaskInfo task(Device device, long start) {
    return TaskInfo.here(
        SparkEnv.get().blockManager().blockManagerId().host(),
        SparkEnv.get().executorId(),
        device,
        TaskContext.get().attemptNumber(),
        (System.nanoTime() - start) / 1e9);
  }
}
