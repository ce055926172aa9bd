package org.mixtraining.spark;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.ExceptionFailure;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.TaskInfo;
import org.mixtraining.config.Causes;
import org.mixtraining.config.UserException;
import org.mixtraining.kernels.OutOfDeviceMemoryException;
import org.mixtraining.train.NonFiniteLossException;

/**
 * Failures for which a retry is useless, since nothing about them is random: a loss that is not a
 * number, or a file that is missing; or too little memory on a second executor. A stage is stopped
 * as soon as one of its tasks fails so.
 */
final class NonRetryableFailures extends SparkListener {
  private static final String RUN = "mixtraining.run";

  private final SparkContext spark;
  private final String run = UUID.randomUUID().toString();
  private final Set<Integer> stages = ConcurrentHashMap.newKeySet();

  /** The executors that ran out of a device's memory, by stage and partition. */
  private final Map<List<Integer>, Set<String>> outOfMemory = new ConcurrentHashMap<>();

  private volatile RuntimeException reason;
  private volatile Throwable newest;

  /** Of the run that the calling thread trains; others may train in the same session. */
  NonRetryableFailures(SparkContext spark) {
    this.spark = spark;
    spark.setLocalProperty(RUN, run);
  }

  @Override
  public void onStageSubmitted(SparkListenerStageSubmitted submitted) {
    if (run.equals(submitted.properties().getProperty(RUN))) {
      stages.add(submitted.stageInfo().stageId());
    }
  }

  /** The cause of a failure, if it is one that the user must correct. */
  static Optional<RuntimeException> reason(Throwable failure) {
    return Causes.of(failure)
        .filter(c -> c instanceof UserException || c instanceof NonFiniteLossException)
        .map(RuntimeException.class::cast)
        .findFirst();
  }

  /**
   * Memory of another executor's device may be free. Spark may well try a task again where it
   * failed, since it prefers that executor, or no other is free; until it leaves that one out, or
   * ends the stage.
   */
  private boolean isWorthATry(RuntimeException cause, int stage, TaskInfo task) {
    if (!(cause instanceof OutOfDeviceMemoryException)) {
      return false;
    }
    Set<String> executors =
        outOfMemory.computeIfAbsent(
            List.of(stage, task.partitionId()), first -> ConcurrentHashMap.newKeySet());
    executors.add(task.executorId());
    return executors.size() == 1;
  }

  /** Why a stage was stopped, if one was. */
  Optional<RuntimeException> reason() {
    return Optional.ofNullable(reason);
  }

  /**
   * What a task failed with, where Spark does not say it by itself: a stage that ends because no
   * executor is left that its task has not failed on has no cause.
   */
  Optional<RuntimeException> cause(Throwable failure) {
    boolean silent =
        failure.getCause() == null && ("" + failure.getMessage()).contains("excludeOnFailure");
    return Optional.ofNullable(silent ? newest : null)
        .map(thrown -> reason(thrown).orElseGet(() -> new IllegalStateException(thrown)));
  }

  @Override
  public void onTaskEnd(SparkListenerTaskEnd end) {
    if (stages.contains(end.stageId())
        && end.reason() instanceof ExceptionFailure failure
        && failure.exception().isDefined()) {
      Throwable thrown = failure.exception().get();
      newest = thrown;
      reason(thrown)
          .filter(cause -> !isWorthATry(cause, end.stageId(), end.taskInfo()))
          .ifPresent(
              cause -> {
                reason = cause;
                spark.cancelStage(end.stageId(), cause.getMessage());
              });
    }
  }
}
