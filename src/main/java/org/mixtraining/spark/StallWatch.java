package org.mixtraining.spark;

import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.commons.lang3.concurrent.BasicThreadFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches a worker for progress. One that makes none for too long is interrupted, its stack goes to
 * the log, and its task fails, to be tried elsewhere. A thread that hangs in a library hears of no
 * interruption: then its process ends, and Spark starts another.
 */
final class StallWatch {
  private static final Logger LOG = LoggerFactory.getLogger(StallWatch.class);
  private static final ScheduledExecutorService CLOCK =
      Executors.newSingleThreadScheduledExecutor(
          new BasicThreadFactory.Builder().namingPattern("stall-watch").daemon(true).build());

  private final String worker;
  private final Duration limit;
  private final Duration grace;
  private final Runnable exit;
  private final Thread thread = Thread.currentThread();
  private volatile long progressed = System.nanoTime();
  private volatile String verdict;

  /**
   * Of the calling thread.
   *
   * @param worker its name in messages
   * @param limit the longest time without progress
   * @param grace time to end after an interruption
   * @param exit ends the process
   */
  StallWatch(String worker, Duration limit, Duration grace, Runnable exit) {
    this.worker = worker;
    this.limit = limit;
    this.grace = grace;
    this.exit = exit;
  }

  /** There is progress. */
  void progress() {
    progressed = System.nanoTime();
  }

  /**
   * Does work on the thread while it is watched.
   *
   * @throws IllegalStateException if it made no progress
   */
  <R> R during(Supplier<R> work) {
    long every = Math.max(1, limit.toMillis() / 10);
    ScheduledFuture<?> checks =
        CLOCK.scheduleWithFixedDelay(this::check, every, every, TimeUnit.MILLISECONDS);
    try {
      return work.get();
    } catch (RuntimeException e) {
      throw verdict == null ? e : new IllegalStateException(verdict, e);
    } finally {
      checks.cancel(false);
      if (verdict != null) {
        Thread.interrupted(); // by this watch, and not for what the thread does next
      }
    }
  }

  private void check() {
    Duration silence = Duration.ofNanos(System.nanoTime() - progressed);
    if (verdict == null && silence.compareTo(limit) >= 0) {
      verdict =
          "%s has made no progress for %s s (mixtraining.workers.stall-minutes)"
              .formatted(worker, silence.toSeconds());
      LOG.error("{}; its thread is interrupted:\n{}", verdict, stack());
      thread.interrupt();
    } else if (silence.compareTo(limit.plus(grace)) >= 0) {
      LOG.error("{}, and hears of no interruption; this process ends:\n{}", verdict, stack());
      exit.run();
    }
  }

  private String stack() {
    return Arrays.stream(thread.getStackTrace())
        .map(frame -> "    at " + frame)
        .collect(Collectors.joining("\n"));
  }
}
