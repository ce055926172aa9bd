package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mixtraining.config.UserException;
import org.mixtraining.kernels.OutOfDeviceMemoryException;

class NonRetryableFailuresTest {
  private static final AtomicInteger ATTEMPTS = new AtomicInteger();
  private static JavaSparkContext spark;

  @BeforeAll
  static void start() {
    SparkSession session =
        SparkSession.builder()
            .master("local[2, 2]")
            .config("spark.ui.enabled", false)
            .getOrCreate();
    spark = JavaSparkContext.fromSparkContext(session.sparkContext());
  }

  @BeforeEach
  void noAttempts() {
    ATTEMPTS.set(0);
  }

  private static List<Integer> run(Function<Integer, Integer> task) {
    try (Supervision supervision = new Supervision(spark, Duration.ofMinutes(1))) {
      return supervision.run("test", () -> spark.parallelize(List.of(7), 1).map(task).collect());
    }
  }

  @Test
  void tooLittleMemoryOfADeviceIsTriedAgain() {
    Function<Integer, Integer> task =
        number -> {
          ATTEMPTS.incrementAndGet();
          if (TaskContext.get().attemptNumber() == 0) {
            throw new OutOfDeviceMemoryException("batch-size: lower it");
          }
          return number;
        };

    assertThat(run(task)).containsExactly(7);
    assertThat(ATTEMPTS).hasValue(2);
  }

  @Test
  void withoutAnotherExecutorItIsBadInputAfterSparksAttempts() {
    Function<Integer, Integer> task =
        number -> {
          ATTEMPTS.incrementAndGet();
          throw new OutOfDeviceMemoryException("batch-size: lower it");
        };

    assertThatThrownBy(() -> run(task))
        .isInstanceOf(UserException.class)
        .hasMessage("batch-size: lower it");
    assertThat(ATTEMPTS).hasValue(2);
  }

  @Test
  void otherBadInputIsNotTriedAgain() {
    Function<Integer, Integer> task =
        number -> {
          ATTEMPTS.incrementAndGet();
          throw new UserException("no such file");
        };

    assertThatThrownBy(() -> run(task)).hasMessage("no such file");
    assertThat(ATTEMPTS.get()).isBetween(1, 2); // the listener may hear of it late
  }
}
