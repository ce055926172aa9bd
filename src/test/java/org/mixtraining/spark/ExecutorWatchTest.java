package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** With an executor in a process of its own: in local mode nothing is watched. */
@Tag("cluster")
class ExecutorWatchTest {

  /** What the rounds of an epoch are: stages whose tasks begin at once and are soon over. */
  @Test
  void shortTasksThatBeginAtOnceAreNoIdleness() {
    PackagedJob.assumeBuilt();
    try (SparkSession session =
        SparkSession.builder()
            .master("local-cluster[1, 1, 1024]")
            .config("spark.ui.enabled", false)
            .getOrCreate()) {
      session.sparkContext().setLogLevel("OFF");
      sleep(session, 1); // until the executor is there
      try (var watch = new ExecutorWatch(session.sparkContext(), Duration.ofSeconds(3))) {
        long end = System.nanoTime() + Duration.ofSeconds(12).toNanos();
        while (System.nanoTime() < end && watch.verdict().isEmpty()) {
          sleep(session, 500);
        }
        assertThat(watch.verdict()).isEmpty();
      }
    }
  }

  /** A stage of one task, of Spark's own classes. */
  private static void sleep(SparkSession session, long milliseconds) {
    session
        .range(0, 1, 1, 1)
        .selectExpr("java_method('java.lang.Thread', 'sleep', id + %sL)".formatted(milliseconds))
        .collectAsList();
  }
}
