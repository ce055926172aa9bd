package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.UserException;
import org.mixtraining.kernels.RecordingAccelerator;
import org.mixtraining.run.EpochOutcome;

/** A run on GPUs whose accelerator computes on the CPU and notes what it is bound to. */
@Tag("cluster")
class GpuRunTest {
  @TempDir static Path directory;
  @AutoClose private static GpuCluster cluster;

  @BeforeAll
  static void start() throws Exception {
    cluster = GpuCluster.start(directory, RecordingAccelerator.class);
  }

  @Test
  void eachWorkerComputesOnTheGpuThatSparkGaveIt() throws Exception {
    var profiles = new Profiles();
    cluster.session().sparkContext().addSparkListener(profiles);
    int earlier = bindings().size();

    List<EpochOutcome> epochs = cluster.train("workers.device=gpu");

    assertThat(epochs)
        .hasSize(3)
        .allSatisfy(
            epoch ->
                assertThat(epoch.workers())
                    .extracting(share -> share.task().device())
                    .containsExactlyInAnyOrder("double:3", "double:7"));
    assertThat(bindings())
        .as("the executor's, before ND4J's first array, whether a task asks for one or not")
        .startsWith("3 first", "7 first");
    assertThat(bindings()).as("two workers in each epoch, no evaluation").hasSize(earlier + 6);
    assertThat(profiles.ofTraining)
        .as("one profile for all epochs")
        .hasSize(1)
        .doesNotContainKey(0);
    assertThat(profiles.ofOthers).containsOnlyKeys(0);
    cluster.session().sparkContext().removeSparkListener(profiles);
  }

  /** What tasks were bound to, in order. */
  private static List<String> bindings() throws IOException {
    try (var files = Files.list(directory)) {
      List<Path> bound =
          files.filter(file -> file.getFileName().toString().startsWith("bound-")).toList();
      assertThat(bound).as("there is one executor").hasSizeLessThan(2);
      return bound.isEmpty() ? List.of() : Files.readAllLines(bound.get(0));
    }
  }

  /** Else each would get executors of its own under dynamic allocation. */
  @Test
  void runsOfASessionAskForTheSame() {
    var profiles = new Profiles();
    cluster.session().sparkContext().addSparkListener(profiles);

    for (int run = 0; run < 2; run++) {
      assertThat(cluster.train("workers.device=auto", "pipeline=sl", "epochs={ssl = 0, sl = 1}"))
          .allSatisfy(
              epoch ->
                  assertThat(epoch.workers())
                      .extracting(share -> share.task().device())
                      .containsExactlyInAnyOrder("double:3", "double:7"));
    }

    assertThat(profiles.ofTraining.values()).containsExactly(2);
    cluster.session().sparkContext().removeSparkListener(profiles);
  }

  @Test
  void withoutAnAcceleratorAGpuIsRefusedBeforeAnyWork() {
    ClassLoader with = Thread.currentThread().getContextClassLoader();
    Thread.currentThread().setContextClassLoader(cluster.before());
    try {
      assertThatThrownBy(() -> cluster.train("workers.device=gpu"))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("mixtraining.workers.device = gpu: this build computes on the CPU");
    } finally {
      Thread.currentThread().setContextClassLoader(with);
    }
  }

  /** Stages by the number of their resource profile. */
  private static final class Profiles extends SparkListener {
    private final Map<Integer, Integer> ofTraining = new ConcurrentHashMap<>();
    private final Map<Integer, Integer> ofOthers = new ConcurrentHashMap<>();

    @Override
    public void onStageSubmitted(SparkListenerStageSubmitted stage) {
      String job = stage.properties().getProperty("spark.job.description", "");
      (job.endsWith("train") ? ofTraining : ofOthers)
          .merge(stage.stageInfo().resourceProfileId(), 1, Integer::sum);
    }
  }
}
