package org.mixtraining.spark;

import java.time.Duration;
import org.apache.spark.SparkContext;

/** Watches a run's tasks and executors, and knows why an epoch failed. */
final class Supervision implements AutoCloseable {
  private final SparkContext spark;
  private final NonRetryableFailures hopeless;
  private final ExecutorWatch executors;

  /**
   * @param patience how long the run may be without executors
   */
  Supervision(SparkContext spark, Duration patience) {
    this.spark = spark;
    this.hopeless = new NonRetryableFailures(spark);
    this.executors = new ExecutorWatch(spark, patience);
    spark.addSparkListener(hopeless);
  }

  /** What to tell of a failure, without what Spark wraps around it. */
  RuntimeException reason(Exception failure) {
    return NonRetryableFailures.reason(failure)
        .or(hopeless::reason)
        .or(() -> executors.verdict().map(IllegalStateException::new))
        .orElseGet(
            () ->
                failure instanceof RuntimeException unchecked
                    ? unchecked
                    : new IllegalStateException(failure));
  }

  @Override
  public void close() {
    executors.close();
    spark.removeSparkListener(hopeless);
  }
}
