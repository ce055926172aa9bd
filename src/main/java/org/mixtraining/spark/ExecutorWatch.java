package org.mixtraining.spark;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.commons.lang3.concurrent.BasicThreadFactory;
import org.apache.spark.SparkContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches whether a run has executors: it reports if there is none, for which Spark would wait
 * forever, and fails the run after a timeout.
 */
final class ExecutorWatch implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ExecutorWatch.class);
  private static final Duration LOOK = Duration.ofSeconds(2);
  private static final Duration WARN = Duration.ofSeconds(30);

  private final SparkContext spark;
  private final Duration patience;
  private final ScheduledExecutorService clock;
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
    if (spark.statusTracker().getExecutorInfos().length > 1) {
      lastSeen = System.nanoTime();
      warned = Duration.ZERO;
      return;
    }
    Duration alone = Duration.ofNanos(System.nanoTime() - lastSeen);
    if (alone.compareTo(patience) >= 0) {
      verdict = complaint(alone) + "; timed out after mixtraining.workers.patience-minutes";
      spark.cancelAllJobs();
    } else if (alone.minus(warned).compareTo(WARN) >= 0) {
      warned = alone;
      LOG.warn("{}; waiting up to {} s", complaint(alone), patience.toSeconds());
    }
  }

  private String complaint(Duration alone) {
    return "no executor for %s s from %s: it cannot allocate one with %s of memory, %s cores and %s GPUs, or its executors fail at start; see its logs"
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
  }
}
