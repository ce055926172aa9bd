package org.mixtraining.spark.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.mixtraining.config.OptimizerConfig.Betas;
import org.mixtraining.run.TaskInfo;
import org.mixtraining.run.WorkerResult;
import org.mixtraining.train.EpochMetrics;
import org.mixtraining.vit.state.ModelState;
import org.mixtraining.vit.state.ModelState.Block;

/**
 * What averaging the states of many vit-tiny workers costs, for the manual's page of performance:
 * run it with {@code mvn test -Dtest=ExchangeCostTest -Dexcluded.tags=}. It prints its
 * measurements.
 */
@Tag("slow")
class ExchangeCostTest {
  /** Parameters of vit-tiny with patch 4, a decoder of 4 blocks and a head of 10 classes. */
  private static final int PARAMETERS = 7_190_000;

  /** States that fit the driver of this test twice. */
  private static final int DRIVER_LIMIT = 8;

  @Test
  void theDriverOfAShuffleReceivesOneStateHoweverManyWorkersThereAre() throws Exception {
    try (SparkSession session =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", false)
            .config("spark.driver.maxResultSize", 0)
            .config("spark.shuffle.compress", false)
            .getOrCreate()) {
      session.sparkContext().setLogLevel("OFF");
      var spark = JavaSparkContext.fromSparkContext(session.sparkContext());
      var received = new AtomicLong();
      var shuffled = new AtomicLong();
      spark
          .sc()
          .addSparkListener(
              new SparkListener() {
                @Override
                public void onTaskEnd(SparkListenerTaskEnd end) {
                  received.addAndGet(end.taskMetrics().resultSize());
                  shuffled.addAndGet(end.taskMetrics().shuffleWriteMetrics().bytesWritten());
                }
              });
      long one = state(0).bytes();
      for (int workers : new int[] {2, 4, 8, 16, 32}) {
        for (StateExchange exchange :
            new StateExchange[] {new DriverExchange(), new ShuffleExchange(Optional.empty())}) {
          if (exchange instanceof DriverExchange && workers > DRIVER_LIMIT) {
            continue;
          }
          received.set(0);
          shuffled.set(0);
          long start = System.nanoTime();
          StateExchange.Held before = exchange.hold(spark, state(0));
          exchange.average(
              spark
                  .parallelize(IntStream.range(0, workers).boxed().toList(), workers)
                  .map(ExchangeCostTest::worker),
              before,
              new Betas(0.9, 0.999));
          double seconds = (System.nanoTime() - start) / 1e9;
          spark.sc().listenerBus().waitUntilEmpty();
          System.out.printf(
              "%-16s %3d workers: %5.1f s, driver receives %5.0f MB, shuffle %5.0f MB%n",
              exchange.getClass().getSimpleName(),
              workers,
              seconds,
              received.get() / 1e6,
              shuffled.get() / 1e6);
          if (exchange instanceof ShuffleExchange) {
            assertThat(received.get()).isLessThan(one * 11 / 10);
          }
        }
      }
    }
  }

  static WorkerResult worker(int number) {
    var metrics = new EpochMetrics(100, new TreeMap<>(), 0, 1, 0, 0, 0, 0, 0, 0);
    return new WorkerResult(
        number, state(number), metrics, new TaskInfo("h", "0", "cpu", 1, 0, 1, 1, 1));
  }

  static ModelState state(int seed) {
    return new ModelState(
        Map.of("encoder", new Block(floats(seed), floats(seed + 1), floats(seed + 2), 1)));
  }

  private static float[] floats(int seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[PARAMETERS];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextInt();
    }
    return values;
  }
}
