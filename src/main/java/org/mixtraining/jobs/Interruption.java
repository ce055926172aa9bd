package org.mixtraining.jobs;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.spark.SparkContext;
import org.apache.spark.util.SignalUtils;
import org.mixtraining.config.UserException;

/**
 * A request to stop, as SIGTERM and SIGINT make it: the running tasks are cancelled, and the
 * command ends in its own time. A second signal ends the process at once.
 */
public final class Interruption implements AutoCloseable {
  private static final long AGAIN_MILLIS = 500;

  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile boolean requested;
  private volatile SparkContext spark;

  /** From now on until it is closed. */
  public static Interruption bySignal() {
    Interruption interruption = new Interruption();
    SignalUtils.register("TERM", interruption::request);
    SignalUtils.register("INT", interruption::request);
    return interruption;
  }

  /** Whether the command was told to stop. */
  public boolean requested() {
    return requested;
  }

  /** Names whose tasks are to be cancelled. */
  public void cancels(SparkContext context) {
    spark = context;
  }

  /**
   * What an action without epochs gives.
   *
   * @throws InterruptedRunException if it failed after a request
   */
  public <T> T during(String command, Supplier<T> action) {
    try {
      return action.get();
    } catch (Exception e) { // Spark throws checked ones that it does not declare
      if (!requested || e instanceof UserException) {
        throw e;
      }
      throw new InterruptedRunException(
          "%s was interrupted and left nothing behind; run the same command to start again"
              .formatted(command),
          e);
    }
  }

  /** Asks for it; whether that is new. A signal that is not has its usual effect. */
  boolean request() {
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
