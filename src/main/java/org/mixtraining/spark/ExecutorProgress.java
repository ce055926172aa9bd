package org.mixtraining.spark;

import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.bytedeco.javacpp.Pointer;
import org.mixtraining.run.TaskInfo;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.train.EpochMetrics;
import org.mixtraining.train.StepListener;

/**
 * Progress of the workers of one executor.
 *
 * @param executor Spark's executor id
 * @param workers those that are training now
 * @param loss the minimised loss so far in the epoch, mean over images; NaN where none trains
 * @param imagesPerSecond sum over the workers
 * @param waitShare of their time, that spent waiting for images, 0 to 1; NaN where none trains
 * @param peakRssBytes highest resident memory of the process so far; −1 where unknown
 * @param offHeapBytes resident memory of the process beyond its Java heap
 */
public record ExecutorProgress(
    String executor,
    List<WorkerProgress> workers,
    double loss,
    double imagesPerSecond,
    double waitShare,
    long peakRssBytes,
    long offHeapBytes)
    implements Serializable {

  /** By task attempt: several runs may train in one process. */
  private static final Map<Long, WorkerProgress> TRAINING = new ConcurrentHashMap<>();

  /** Notes the steps of the running task, until it ends. */
  static StepListener ofTask(EpochPlan plan, int worker) {
    TaskContext task = TaskContext.get();
    long attempt = task.taskAttemptId();
    task.addTaskCompletionListener(
        ended -> {
          TRAINING.remove(attempt);
        });
    return (done, steps, soFar) ->
        TRAINING.put(attempt, new WorkerProgress(plan, worker, done, steps, soFar));
  }

  /** Of this process, now. */
  static ExecutorProgress here() {
    List<WorkerProgress> workers = List.copyOf(TRAINING.values());
    double images = 0;
    double loss = 0;
    double wait = 0;
    double seconds = 0;
    double rate = 0;
    for (WorkerProgress worker : workers) {
      EpochMetrics m = worker.soFar();
      images += m.images();
      loss += m.loss();
      wait += m.waitSeconds();
      seconds += m.waitSeconds() + m.computeSeconds();
      rate += worker.imagesPerSecond();
    }
    return new ExecutorProgress(
        SparkEnv.get().executorId(),
        workers,
        loss / images,
        rate,
        wait / seconds,
        TaskInfo.highWaterMark(),
        Math.max(0, Pointer.physicalBytes() - Runtime.getRuntime().totalMemory()));
  }
}
