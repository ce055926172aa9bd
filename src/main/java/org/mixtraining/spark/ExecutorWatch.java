package org.mixtraining.spark;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.commons.lang3.concurrent.BasicThreadFactory;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkStageInfo;
import org.apache.spark.SparkStatusTracker;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches whether a run has executors: it reports if there is none, or none that takes its tasks,
 * for which Spark would wait forever, and fails the run after a timeout.
 */
final class ExecutorWatch implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ExecutorWatch.class);
  private static final Duration LOOK = Duration.ofSeconds(2);
  private static final Duration WARN = Duration.ofSeconds(30);

  private final SparkContext spark;
  private final Duration patience;
  private final ScheduledExecutorService clock;
  private final AtomicBoolean taskBegan = new AtomicBoolean();
  private final SparkListener tasks =
      new SparkListener() {
        @Override
        public void onTaskStart(SparkListenerTaskStart start) {
          taskBegan.set(true);
        }
      };
  private long lastSeen = System.nanoTime();
  private Duration warned = Duration.ZERO;
  private volatile String verdict;

  /**
   * @param patience how long a run may be without executors
   */
  ExecutorWatch(SparkContext spark, Duration patience) {
    this.spark = spark;
    this.patience = patience;
    this.clock =
        Executors.newSingleThreadScheduledExecutor(
            new BasicThreadFactory.Builder().namingPattern("executor-watch").daemon(true).build());
    if (!spark.isLocal()) {
      spark.addSparkListener(tasks);
      clock.scheduleWithFixedDelay(this::look, 0, LOOK.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  /** Why the run was given up, if it was. */
  Optional<String> verdict() {
    return Optional.ofNullable(verdict);
  }

  private void look() {
    if (spark.isStopped()) {
      return;
    }
    // The driver is one of them.
    int executors = spark.statusTracker().getExecutorInfos().length - 1;
    // Spark writes down a task that begins at once only when it ends, so short ones are never seen
    // to run.
    boolean began = taskBegan.getAndSet(false);
    if (executors > 0 && (began || !tasksWait())) {
      lastSeen = System.nanoTime();
      warned = Duration.ZERO;
      return;
    }
    Duration alone = Duration.ofNanos(System.nanoTime() - lastSeen);
    String complaint = executors > 0 ? idle(executors, alone) : none(alone);
    if (alone.compareTo(patience) >= 0) {
      verdict = complaint + "; timed out after mixtraining.workers.patience-minutes";
      spark.cancelAllJobs();
    } else if (alone.minus(warned).compareTo(WARN) >= 0) {
      warned = alone;
      LOG.warn("{}; waiting up to {} s", complaint, patience.toSeconds());
    }
  }

  /** Whether there are tasks to run, and not one runs. */
  private boolean tasksWait() {
    SparkStatusTracker status = spark.statusTracker();
    boolean wait = false;
    for (int stage : status.getActiveStageIds()) {
      var found = status.getStageInfo(stage);
      if (found.isDefined()) {
        SparkStageInfo info = found.get();
        if (info.numActiveTasks() > 0) {
          return false;
        }
        wait |= info.numCompletedTasks() < info.numTasks();
      }
    }
    return wait;
  }

  private String idle(int executors, Duration alone) {
    String dynamic = "spark.dynamicAllocation.enabled";
    return "no task has started for %s s, although %s has executors (%s): %s"
        .formatted(
            alone.toSeconds(),
            spark.master(),
            executors,
            spark.conf().getBoolean(dynamic, false)
                ? "with %s = true, stages that ask for GPUs wait for executors started for them, which cannot be allocated beside these; set spark.dynamicAllocation.minExecutors = 0, or give the run more cores and GPUs"
                    .formatted(dynamic)
                : "they lack the cores or GPUs that tasks ask for, or Spark has excluded them; see the driver's log");
  }

  private String none(Duration alone) {
    return "no executor for %s s: %s cannot allocate one with %s of memory, %s cores and %s GPUs, or its executors fail at start; see the logs of the cluster manager"
        .formatted(
            alone.toSeconds(),
            spark.master(),
            spark.conf().get("spark.executor.memory", "1g"),
            spark.conf().get("spark.executor.cores", "all"),
            spark.conf().get(WorkerDevices.AMOUNT, "no"));
  }

  @Override
  public void close() {
    clock.shutdownNow();
    spark.removeSparkListener(tasks);
  }
}
