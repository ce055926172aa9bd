package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.mixtraining.config.JobConfig;

/** Tasks on two executors, of which one is sick. */
@Tag("cluster")
class SickExecutorTest {
  private static final Map<String, String> PROPERTIES =
      Map.of(
          "spark.master", "local-cluster[2,1,1024]",
          "spark.ui.enabled", "false",
          "spark.executor.memory", "512m",
          "spark.locality.wait", "0s",
          "spark.executor.extraClassPath",
              System.getProperty(
                  "surefire.test.class.path", System.getProperty("java.class.path")));

  private static Sessions.Opened session;
  private static JavaSparkContext spark;

  @BeforeAll
  static void start() {
    PROPERTIES.forEach(System::setProperty);
    JobConfig config = JobConfig.load(Optional.empty(), List.of());
    session = Sessions.workers("sick", config.workers(), 1);
    assertThat(session.own()).isTrue();
    spark = JavaSparkContext.fromSparkContext(session.spark().sparkContext());
  }

  @AfterAll
  static void stop() {
    session.close();
    PROPERTIES.keySet().forEach(System::clearProperty);
  }

  /** With as many tasks as slots the sick executor's is the only free one for a retry. */
  @Test
  void aTaskIsNotTriedAgainWhereItFailed() {
    Function<Integer, String> task =
        number -> {
          String executor = SparkEnv.get().executorId();
          if (executor.equals("0")) {
            throw new IllegalStateException("sick");
          }
          Thread.sleep(3_000);
          return executor;
        };

    assertThat(spark.parallelize(List.of(0, 1), 2).map(task).collect()).doesNotContain("0");
  }
}
