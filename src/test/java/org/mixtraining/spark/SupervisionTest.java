package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.mixtraining.config.Causes;

@Tag("cluster") // with a session of its own
class SupervisionTest {

  @Test
  void whatATaskFailedWithIsToldWhereNoExecutorIsLeftForIt() {
    try (SparkSession session =
            SparkSession.builder()
                .master("local[1, 4]")
                .config("spark.ui.enabled", false)
                .config("spark.excludeOnFailure.enabled", true)
                .config("spark.scheduler.excludeOnFailure.unschedulableTaskSetTimeout", "1s")
                .getOrCreate();
        Supervision supervision =
            new Supervision(
                JavaSparkContext.fromSparkContext(session.sparkContext()), Duration.ofMinutes(1))) {
      Throwable failure = catchThrowable(() -> supervision.run("test", () -> fail(session)));

      assertThat(Causes.of(failure)).hasAtLeastOneElementOfType(IOException.class);
      assertThat(Causes.reason(failure)).isEqualTo("IOException: the disk has a bad day");
    }
  }

  private static List<Integer> fail(SparkSession session) {
    return JavaSparkContext.fromSparkContext(session.sparkContext())
        .parallelize(List.of(7), 1)
        .<Integer>map(
            number -> {
              throw new IOException("the disk has a bad day");
            })
        .collect();
  }
}
