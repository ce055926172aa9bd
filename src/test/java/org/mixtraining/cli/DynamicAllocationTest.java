package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.kernels.RecordingAccelerator;
import org.mixtraining.spark.PackagedJob;

/**
 * Runs whose executors Spark starts and ends as it likes, on a worker whose two GPUs, which are
 * none, are all taken before the training begins. By {@code mvn verify -Pend-to-end}.
 */
@Tag("end-to-end")
class DynamicAllocationTest {
  private static final String MIN = "spark.dynamicAllocation.minExecutors=";
  private static final String DYNAMIC =
      "--conf spark.dynamicAllocation.enabled=true --conf "
          + MIN
          + "2 --conf spark.dynamicAllocation.executorIdleTimeout=5s";
  private static final String SMALL =
      " --conf spark.dynamicAllocation.shuffleTracking.enabled=true"
          + " --conf spark.executor.cores=1 --conf spark.executor.memory=1g";

  @TempDir static Path directory;
  private static SmallJob job;
  @AutoClose private static StandaloneCluster cluster;
  private static String shuffleService;

  @BeforeAll
  static void start() throws Exception {
    Path jars = Path.of("target/spark/jars");
    PackagedJob.assumeBuilt(jars);
    job = new SmallJob(directory);
    try (ServerSocket free = new ServerSocket(0)) {
      shuffleService = " --conf spark.shuffle.service.port=" + free.getLocalPort();
    }
    String settings = "spark.shuffle.service.enabled true\n" + shuffleService.substring(8);
    cluster = new StandaloneCluster(directory, jars);
    cluster.worker("both", 2, "\"3\", \"7\"", settings.replace('=', ' ') + "\n");
    job.here("local");
  }

  /** The exit code of a training. */
  private static int train(String launcher, String run, String options, String... settings)
      throws Exception {
    String doubled =
        " --jars %s --conf spark.executor.extraJavaOptions=-Dmixtraining.double=%s"
            .formatted(RecordingAccelerator.jar(directory, RecordingAccelerator.class), directory);
    List<String> words = job.words(launcher, "train", "-D", "run.id=" + run);
    words.addAll(List.of(settings));
    Process driver =
        cluster
            .process(run, words, Map.of("MIXTRAINING_SUBMIT_OPTIONS", DYNAMIC + options + doubled))
            .start();
    try {
      assertThat(driver.waitFor(5, TimeUnit.MINUTES)).as(cluster.said(run)).isTrue();
      return driver.exitValue();
    } finally {
      StandaloneCluster.kill(driver);
    }
  }

  private static final String[] SHUFFLE = {
    "-D", "workers.device=gpu", "-D", "averaging.exchange=shuffle"
  };

  @Test
  void gpusAndAShuffleThatSparkTracksDoNotWaitForEachOther() throws Exception {
    String tracking = " --conf spark.dynamicAllocation.shuffleTracking.enabled=true";

    assertThat(train("standalone", "tracked", tracking, SHUFFLE))
        .as(cluster.said("tracked"))
        .isZero();
    assertThat(job.row("tracked").stateSha256()).isEqualTo(job.row("local").stateSha256());
  }

  @Test
  void norDoTheyWithAShuffleService() throws Exception {
    String service = " --conf spark.shuffle.service.enabled=true" + shuffleService;

    assertThat(train("standalone", "served", service, SHUFFLE)).as(cluster.said("served")).isZero();
    assertThat(job.row("served").stateSha256()).isEqualTo(job.row("local").stateSha256());
  }

  @Test
  void norDoExecutorsWithoutGpusWithAShuffleService() throws Exception {
    String service = " --conf spark.shuffle.service.enabled=true" + shuffleService;

    assertThat(train("standalone", "cpus", service, "-D", "averaging.exchange=shuffle"))
        .as(cluster.said("cpus"))
        .isZero();
    assertThat(job.row("cpus").stateSha256()).isEqualTo(job.row("local").stateSha256());
  }

  @Test
  void executorsWithoutGpusEndForThoseThatTrainOnOne() throws Exception {
    assertThat(train("mixtraining", "replaced", SMALL + " --conf " + MIN + "0", SHUFFLE))
        .as(cluster.said("replaced"))
        .isZero();
    assertThat(job.row("replaced").stateSha256()).isEqualTo(job.row("local").stateSha256());
  }

  /** Those that have none hold all cores, and may not end. */
  @Test
  void aRunWhoseExecutorsWithGpusCannotStartSaysSo() throws Exception {
    int code =
        train(
            "mixtraining",
            "waiting",
            SMALL,
            "-D",
            "workers.device=gpu",
            "-D",
            "workers.patience-minutes=0.7");

    assertThat(code).as(cluster.said("waiting")).isEqualTo(1);
    assertThat(cluster.said("waiting"))
        .contains("no task has started for 3", "; waiting up to 42 s")
        .contains("set spark.dynamicAllocation.minExecutors = 0")
        .contains("timed out after mixtraining.workers.patience-minutes");
  }
}
