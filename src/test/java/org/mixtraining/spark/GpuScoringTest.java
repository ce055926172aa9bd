package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.data.Prepare;
import org.mixtraining.kernels.RecordingAccelerator;
import org.mixtraining.train.RecordingStepAccelerator;

/**
 * A run on GPUs that are none and take whole steps: then they score the model too. It needs what
 * {@link ClusterRunTest} needs.
 */
@Tag("cluster")
class GpuScoringTest {
  @TempDir static Path directory;
  private static SparkSession cluster;
  private static ClassLoader before;

  @BeforeAll
  static void start() throws Exception {
    String jar = System.getProperty("mixtraining.jar", "");
    String home = System.getenv("SPARK_HOME");
    assumeTrue(
        !jar.isEmpty()
            && home != null
            && Files.isDirectory(Path.of(home, "jars"))
            && "2.12".equals(System.getenv("SPARK_SCALA_VERSION")),
        "needs mixtraining.jar, SPARK_HOME and SPARK_SCALA_VERSION=2.12, as mvn verify sets them");
    Path accelerator = RecordingAccelerator.jar(directory, RecordingStepAccelerator.class);
    before = Thread.currentThread().getContextClassLoader();
    Thread.currentThread()
        .setContextClassLoader(new URLClassLoader(new URL[] {accelerator.toUri().toURL()}, before));
    Path script = directory.resolve("gpus.sh");
    Files.writeString(script, "#!/bin/sh\necho '{\"name\":\"gpu\",\"addresses\":[\"3\",\"7\"]}'\n");
    assertThat(script.toFile().setExecutable(true)).isTrue();
    cluster =
        SparkSession.builder()
            .master("local-cluster[1, 2, 1024]")
            .config("spark.ui.enabled", false)
            .config("spark.sql.shuffle.partitions", 1)
            .config("spark.executor.extraClassPath", jar + ":" + accelerator)
            .config("spark.executor.extraJavaOptions", "-Dmixtraining.double=" + directory)
            .config("spark.worker.resource.gpu.amount", 2)
            .config("spark.worker.resource.gpu.discoveryScript", script.toString())
            .config("spark.executor.resource.gpu.amount", 2)
            .getOrCreate();
    cluster.sparkContext().setLogLevel("OFF");
    Prepare.run(
        cluster, SmallRun.config(directory.resolve("images")).data(), Prepare.Existing.REFUSE);
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.stop();
      Thread.currentThread().setContextClassLoader(before);
    }
  }

  /** Random erasing is prepared on the CPU, and so something that the double can train on. */
  private static List<EpochOutcome> train(String device) {
    var spark = JavaSparkContext.fromSparkContext(cluster.sparkContext());
    List<EpochOutcome> epochs = new ArrayList<>();
    try (var run =
        new MixTrainingRun(
            spark,
            SmallRun.config(
                directory.resolve("images"),
                device,
                "augment.ssl.random-erasing=0.5",
                "augment.sl.random-erasing=0.5"))) {
      run.train(run.initialState(), epochs::add);
    }
    return epochs;
  }

  @Test
  void modelsAreScoredOnTheWorkersGpusInFloat32() throws Exception {
    List<EpochOutcome> onGpus = train("workers.device=gpu");

    assertThat(Files.readAllLines(directory.resolve("predictors")))
        .containsExactlyInAnyOrder("double:3 FP32", "double:7 FP32");
    List<EpochOutcome> onCpu = train("workers.device=cpu");
    assertThat(onGpus)
        .extracting(EpochOutcome::validation, EpochOutcome::test)
        .isEqualTo(onCpu.stream().map(epoch -> tuple(epoch.validation(), epoch.test())).toList());
  }
}
