package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.mixtraining.config.Causes;

/** Errors of a task that Spark would end its process for. */
@Tag("cluster") // with a session of its own
class TaskErrorsTest {

  @BeforeAll
  static void inThisProcess() {
    System.setProperty("spark.master", "local[1]");
    System.setProperty("spark.ui.enabled", "false");
  }

  @AfterAll
  static void restore() {
    System.clearProperty("spark.master");
    System.clearProperty("spark.ui.enabled");
  }

  private static void fail(Throwable error) throws Exception {
    if (error instanceof Error e) {
      throw e;
    }
    throw (Exception) error;
  }

  @Test
  void anErrorOfATaskIsTheReasonAndNotTheEndOfTheProcess() {
    try (Sessions.Opened opened = Sessions.local("fail")) {
      SparkSession spark = opened.spark();
      JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
      for (Throwable error :
          List.of(
              new StackOverflowError(),
              new InternalError("a fault in mapped memory"),
              new OutOfMemoryError("Physical memory usage is too high"),
              new UnsatisfiedLinkError("no x in java.library.path"),
              new AssertionError("never"),
              new IllegalStateException("one\ntwo"))) {
        Throwable failure =
            catchThrowable(
                () -> context.parallelize(List.of(error), 1).foreach(TaskErrorsTest::fail));

        String message = error.getMessage() == null ? "" : ": " + error.getMessage();
        assertThat(Causes.reason(failure))
            .isEqualTo(error.getClass().getSimpleName() + message.replace('\n', ' '));
      }
    }
  }
}
