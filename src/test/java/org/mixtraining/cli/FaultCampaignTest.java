package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.cli.SmallJob.Driver;

/**
 * Processes killed at random moments, many times, each run held to an undisturbed one; prints the
 * table of faults. After {@code mvn -q package -DskipTests}: {@code mvn surefire:test
 * -Dtest=FaultCampaignTest -Dexcluded.tags= -Dfaults=10}.
 */
@Tag("slow")
class FaultCampaignTest {
  private static final int TIMES = Integer.getInteger("faults", 5);
  private static final Map<String, String> ONE_PROCESS = Map.of("MASTER", "local[2]");
  private static final Map<String, String> TWO_EXECUTORS =
      Map.of("MASTER", "local-cluster[2,1,1024]");

  private final Random random = new Random(0);
  @TempDir private Path directory;

  /** What is done to a run while it trains. */
  private interface Fault {
    void strike(Driver driver) throws Exception;
  }

  @Test
  void wheneverAProcessDiesTheRunEndsWithTheSameBits() throws Exception {
    var job = new SmallJob(directory);
    assertThat(job.start(ONE_PROCESS, "prepare", "ignored").exit()).isZero();
    System.out.println("| fault | times | struck | same bits | seconds lost (median, most) |");
    System.out.println("|---|---|---|---|---|");
    campaign(job, "driver, SIGKILL", ONE_PROCESS, Driver::kill);
    campaign(job, "driver, SIGTERM", ONE_PROCESS, Driver::terminate);
    campaign(job, "driver of two executors, SIGKILL", TWO_EXECUTORS, Driver::kill);
    campaign(job, "an executor, SIGKILL", TWO_EXECUTORS, driver -> kill(driver, 1));
    campaign(job, "both executors, SIGKILL", TWO_EXECUTORS, driver -> kill(driver, 2));
  }

  private void campaign(SmallJob job, String name, Map<String, String> cluster, Fault fault)
      throws Exception {
    String prefix = name.replaceAll("[^a-zA-Z]+", "-");
    String calm = prefix + "-calm";
    double undisturbed = seconds(() -> finish(job, cluster, calm));
    SortedMap<String, String> expected = job.left(calm);
    int struck = 0;
    List<Double> lost = new ArrayList<>();
    for (int i = 0; i < TIMES; i++) {
      String id = prefix + "-" + i;
      double moment = 0.2 + 0.8 * random.nextDouble();
      long start = System.nanoTime();
      Driver driver = job.start(cluster, "train", id);
      boolean over =
          driver.process().waitFor((long) (1000 * moment * undisturbed), TimeUnit.MILLISECONDS);
      if (!over) {
        fault.strike(driver);
        struck++;
      }
      if (driver.exit() != 0) {
        finish(job, cluster, id);
      }
      lost.add((System.nanoTime() - start) / 1e9 - undisturbed);
      assertThat(job.left(id)).as("%s, struck after %.2f", id, moment).isEqualTo(expected);
      assertThat(job.row(id).stateSha256()).isEqualTo(job.row(calm).stateSha256());
    }
    Collections.sort(lost);
    System.out.printf(
        "| %s | %d | %d | %d | %.0f, %.0f (of %.0f) |%n",
        name, TIMES, struck, TIMES, lost.get(TIMES / 2), lost.get(TIMES - 1), undisturbed);
  }

  private interface Work {
    void run() throws Exception;
  }

  private static double seconds(Work work) throws Exception {
    long start = System.nanoTime();
    work.run();
    return (System.nanoTime() - start) / 1e9;
  }

  private static void finish(SmallJob job, Map<String, String> cluster, String id)
      throws Exception {
    Driver driver = job.start(cluster, "train", id);
    assertThat(driver.exit()).as(driver.said()).isZero();
  }

  private static void kill(Driver driver, int count) {
    driver
        .process()
        .descendants()
        .filter(child -> child.info().commandLine().orElse("").contains("--executor-id"))
        .limit(count)
        .forEach(ProcessHandle::destroyForcibly);
  }
}
