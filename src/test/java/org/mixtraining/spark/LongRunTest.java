package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.prepare.Prepare;

/** A run of many epochs, by {@code mvn test -Dtest=LongRunTest -Dexcluded.tags=}. */
@Tag("slow")
class LongRunTest {

  @Test
  void memoryOutsideTheHeapDoesNotGrowFromEpochToEpoch(@TempDir Path directory) {
    JobConfig config =
        SmallRun.config(
            directory.resolve("images"),
            "epochs={ssl = 100, sl = 100}",
            "mix={mode = alternate, ratio = 1}");
    List<Long> resident = new ArrayList<>();
    try (SparkSession session =
            SparkSession.builder()
                .master("local[2]")
                .config("spark.ui.enabled", false)
                .getOrCreate();
        JavaSparkContext spark = new JavaSparkContext(session.sparkContext())) {
      session.sparkContext().setLogLevel("OFF");
      Prepare.run(session, config.data(), Prepare.Existing.REFUSE, line -> {});
      try (var run = new SparkRun(spark, config)) {
        run.train(
            run.initialState(),
            epoch -> resident.add(epoch.workers().get(0).task().offHeapBytes()));
      }
    }
    for (int epoch = 0; epoch < 200; epoch += 20) {
      System.out.printf("epoch %3d: %4d MB%n", epoch + 1, resident.get(epoch) / 1_000_000);
    }
    System.out.printf("epoch 200: %4d MB%n", resident.get(199) / 1_000_000);
    assertThat(resident).hasSize(200);
    assertThat(largest(resident.subList(150, 200)))
        .isLessThan(largest(resident.subList(50, 100)) * 21 / 20);
  }

  private static long largest(List<Long> values) {
    return values.stream().mapToLong(value -> value).max().orElseThrow();
  }
}
