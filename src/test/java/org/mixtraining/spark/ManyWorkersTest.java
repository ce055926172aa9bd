package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.prepare.Prepare;

/**
 * More workers than executors of one machine, by {@code mvn failsafe:integration-test
 * -Dit.test=ManyWorkersTest -Dintegration.tags=slow} after {@code mvn package -DskipTests}; another
 * number of them by {@code -Dworkers=1024}.
 */
@Tag("slow")
class ManyWorkersTest {
  private static final int WORKERS = Integer.getInteger("workers", 64);

  /** MB of an executor, which keeps the states of half of them between averages. */
  private static final int MEMORY = Math.max(1024, 4 * WORKERS);

  /** The driver of this test has no room for the states of many more than 64 workers. */
  private static final List<String> EXCHANGES =
      WORKERS > 64 ? List.of("blocks", "shuffle") : List.of("driver", "blocks", "shuffle");

  @TempDir Path directory;

  @Test
  void manyWorkersReachTheSameBitsByEveryExchange() {
    String jar = PackagedJob.jar();
    Set<String> states = new TreeSet<>();
    try (SparkSession session =
        SparkSession.builder()
            .master("local-cluster[2, 1, " + MEMORY + "]")
            .config("spark.executor.memory", MEMORY + "m") // or states of many are evicted to disk
            .config("spark.ui.enabled", false)
            .config("spark.sql.shuffle.partitions", 1)
            .config("spark.driver.maxResultSize", 0)
            .config("spark.executor.extraClassPath", jar)
            .getOrCreate()) {
      session.sparkContext().setLogLevel("OFF");
      Prepare.run(session, config("auto").data(), Prepare.Existing.REFUSE, line -> {});
      var spark = JavaSparkContext.fromSparkContext(session.sparkContext());
      for (String exchange : EXCHANGES) {
        heap().forEach(MemoryPoolMXBean::resetPeakUsage);
        try (var run = new SparkRun(spark, config(exchange))) {
          run.train(
              run.initialState(),
              epoch -> {
                states.add(epoch.model().sha256());
                assertThat(epoch.workers()).hasSize(WORKERS);
                System.out.printf(
                    "%-8s state %.1f MB, sent %.1f MB in %d rounds, driver's heap up to %d MB, epoch %.1f s%n",
                    exchange,
                    run.data().stateBytes() / 1e6,
                    epoch.syncBytes() / 1e6,
                    epoch.rounds().count(),
                    heap().stream().mapToLong(pool -> pool.getPeakUsage().getUsed()).sum()
                        / 1_000_000,
                    epoch.seconds());
              });
        }
      }
    }
    assertThat(states).hasSize(1);
  }

  private JobConfig config(String exchange) {
    return SmallRun.config(
        directory.resolve("images"),
        "data.synthetic={train = " + 20 * WORKERS + ", test = 64}",
        "data.shards=" + WORKERS,
        "workers.count=" + WORKERS,
        "optimizer.batch-size=" + 2 * WORKERS,
        "pipeline=sl",
        "epochs={ssl = 0, sl = 1}",
        "averaging={exchange = %s, rounds = 2}".formatted(exchange));
  }

  private static List<MemoryPoolMXBean> heap() {
    return ManagementFactory.getMemoryPoolMXBeans().stream()
        .filter(pool -> pool.getType() == MemoryType.HEAP)
        .toList();
  }
}
