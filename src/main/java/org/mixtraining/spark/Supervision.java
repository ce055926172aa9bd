package org.mixtraining.spark;

import java.time.Duration;
import java.util.function.Supplier;
import org.apache.spark.api.java.JavaSparkContext;
import org.mixtraining.schedule.EpochPlan;

/** Watches a run's tasks and executors, and knows why an epoch failed. */
final class Supervision implements AutoCloseable {
  private final JavaSparkContext spark;
  private final NonRetryableFailures nonRetryable;
  private final ExecutorWatch executors;

  /**
   * @param patience how long the run may be without executors
   */
  Supervision(JavaSparkContext spark, Duration patience) {
    this.spark = spark;
    this.nonRetryable = new NonRetryableFailures(spark.sc());
    this.executors = new ExecutorWatch(spark.sc(), patience);
    spark.sc().addSparkListener(nonRetryable);
  }

  /** A part of an epoch, which Spark's own UI names as {@code epoch 7/50 · MIX joint · train}. */
  <R> R run(EpochPlan plan, String activity, Supplier<R> work) {
    return run(
        "epoch %s/%s · %s · %s".formatted(plan.epoch() + 1, plan.epochs(), plan.title(), activity),
        work);
  }

  /**
   * Work under a name in Spark's own UI; what a task has to tell a person comes without what Spark
   * wraps around it.
   */
  <R> R run(String name, Supplier<R> work) {
    try {
      spark.setJobDescription(name);
      return work.get();
    } catch (Exception e) { // Spark throws checked exceptions that it does not declare
      throw reason(e);
    } finally {
      spark.sc().setJobDescription(null);
    }
  }

  private RuntimeException reason(Exception failure) {
    return NonRetryableFailures.reason(failure)
        .or(nonRetryable::reason)
        .or(() -> executors.verdict().map(IllegalStateException::new))
        .or(() -> nonRetryable.cause(failure))
        .orElseGet(
            () ->
                failure instanceof RuntimeException unchecked
                    ? unchecked
                    : new IllegalStateException(failure));
  }

  @Override
  public void close() {
    executors.close();
    spark.sc().removeSparkListener(nonRetryable);
  }
}
