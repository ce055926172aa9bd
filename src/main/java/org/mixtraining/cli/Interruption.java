package org.mixtraining.cli;

import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.apache.spark.SparkContext;
import org.apache.spark.util.SignalUtils;
import org.mixtraining.config.UserException;

/**
 * SIGTERM and SIGINT as a request to stop: the running tasks are cancelled, and the command ends in
 * its own time. A second signal ends the process at once.
 */
final class Interruption implements AutoCloseable {
  private static final long AGAIN_MILLIS = 500;

  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile boolean requested;
  private volatile SparkContext spark;

  private Interruption() {}

  /** From now on until it is closed. */
  static Interruption bySignal() {
    Interruption interruption = new Interruption();
    SignalUtils.register("TERM", interruption::request);
    SignalUtils.register("INT", interruption::request);
    return interruption;
  }

  /** Whether the command was told to stop. */
  boolean requested() {
    return requested;
  }

  /** Names whose tasks are to be cancelled. */
  void cancels(SparkContext context) {
    spark = context;
  }

  /** A training that ends soon after a request with an {@link InterruptedRunException}. */
  RecordedRun.Training of(String runId, RecordedRun.Training training) {
    return (from, epochFinished) -> {
      AtomicInteger epochs = new AtomicInteger(from.epochs());
      try {
        return training.train(
            from,
            outcome -> {
              epochFinished.accept(outcome);
              epochs.set(outcome.state().epochs());
            });
      } catch (Exception e) { // Spark throws checked ones that it does not declare
        if (requested) {
          throw interrupted(runId, epochs.get(), e);
        }
        throw e;
      }
    };
  }

  /**
   * What an action without epochs gives.
   *
   * @throws InterruptedRunException if it failed after a request
   */
  <T> T during(String command, Supplier<T> action) {
    try {
      return action.get();
    } catch (Exception e) { // as above
      if (!requested || e instanceof UserException) {
        throw e;
      }
      throw new InterruptedRunException(
          "%s was interrupted and left nothing behind; the same command begins anew"
              .formatted(command),
          e);
    }
  }

  private InterruptedRunException interrupted(String runId, int epochs, Throwable cause) {
    return new InterruptedRunException(
        String.format(
            Locale.ROOT,
            "run %s was interrupted after %d finished epochs; the same command, or train --resume %s, goes on",
            runId,
            epochs,
            runId),
        cause);
  }

  /** Whether the signal is dealt with; if not, it has its usual effect. */
  private boolean request() {
    if (requested || closed.getCount() == 0) {
      return false;
    }
    requested = true;
    Thread canceller = new Thread(this::cancel, "cancel-jobs");
    canceller.setDaemon(true);
    canceller.start();
    return true;
  }

  /** Again and again: a job may be about to start. */
  private void cancel() {
    try {
      do {
        SparkContext context = spark;
        if (context != null && !context.isStopped()) {
          // Tasks that end with what they have left would fill the screen with traces.
          context.setLogLevel("OFF");
          context.cancelAllJobs();
        }
      } while (!closed.await(AGAIN_MILLIS, TimeUnit.MILLISECONDS));
    } catch (InterruptedException | IllegalStateException e) {
      // The context was stopped: there is nothing left to cancel.
    }
  }

  @Override
  public void close() {
    closed.countDown();
  }
}
