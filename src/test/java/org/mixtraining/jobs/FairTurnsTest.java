package org.mixtraining.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;

/** Trainings side by side on fewer slots than they have workers, epochs played by short jobs. */
class FairTurnsTest {
  private static final int RUNS = 5;
  private static final int EPOCHS = 6;
  private static final int SLOTS = 2;

  @Test
  void noRunWaitsWhileAnotherTrainsOnAndOn() throws Exception {
    List<Integer> ended = Collections.synchronizedList(new ArrayList<>());
    try (SparkSession session =
        SparkSession.builder()
            .master("local[" + SLOTS + "]")
            .config("spark.ui.enabled", false)
            .config("spark.scheduler.mode", "FAIR")
            .getOrCreate()) {
      var spark = JavaSparkContext.fromSparkContext(session.sparkContext());
      CountDownLatch start = new CountDownLatch(1);
      List<Thread> runs =
          IntStream.range(0, RUNS)
              .mapToObj(run -> new Thread(() -> train(spark, run, start, ended)))
              .toList();
      runs.forEach(Thread::start);
      start.countDown();
      for (Thread run : runs) {
        run.join();
      }
    }

    assertThat(ended).hasSize(RUNS * EPOCHS);
    int[] epochs = new int[RUNS];
    for (int run : ended) {
      epochs[run]++;
      int last = IntStream.of(epochs).min().orElseThrow();
      assertThat(epochs[run] - last).as("lead in %s", ended).isLessThanOrEqualTo(3);
    }
  }

  /** Epochs of three workers each. */
  private static void train(
      JavaSparkContext spark, int run, CountDownLatch start, List<Integer> ended) {
    spark.setLocalProperty("spark.scheduler.pool", ComparisonRunner.pool(run, SLOTS));
    try {
      start.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
      spark
          .parallelize(List.of(0, 1, 2), 3)
          .foreach(
              worker -> {
                Thread.sleep(30);
              });
      ended.add(run);
    }
  }
}
