package org.mixtraining.spark;

import java.util.Iterator;
import java.util.List;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.Function2;
import org.apache.spark.broadcast.Broadcast;
import org.mixtraining.kernels.Device;
import org.mixtraining.run.EpochTask;
import org.mixtraining.run.TaskInfo;
import org.mixtraining.run.WorkerResult;
import org.mixtraining.train.TrainingBatch;

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
  private final WorkerDevices devices;

  EpochWorker(Broadcast<EpochTask> broadcast, WorkerDevices devices) {
    this.broadcast = broadcast;
    this.devices = devices;
  }

  @Override
  public Iterator<WorkerResult> call(Integer worker, Iterator<TrainingBatch> minibatches) {
    long start = System.nanoTime();
    EpochTask task = broadcast.value();
    Device device = devices.ofTask();
    device.bind();
    WorkerResult result =
        task.train(
            worker,
            device,
            new InterruptibleIterator<>(minibatches),
            ExecutorProgress.ofTask(task.plan(), worker),
            () -> info(device, start));
    return List.of(result).iterator();
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
