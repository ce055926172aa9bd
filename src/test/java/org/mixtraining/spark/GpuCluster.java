package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.prepare.Prepare;
import org.mixtraining.data.preview.Completions;
import org.mixtraining.kernels.Accelerator;
import org.mixtraining.kernels.RecordingAccelerator;
import org.mixtraining.run.EpochOutcome;
import org.mixtraining.run.TrainingData;
import org.mixtraining.vit.Reconstruction;
import org.mixtraining.vit.state.ModelState;

/**
 * An executor with two GPUs that are none: a discovery script claims them, at 3 and 7, and a double
 * is the accelerator. Until it is closed, it is the driver's too. A run's images are prepared.
 *
 * @param before the class loader without the accelerator
 */
record GpuCluster(SparkSession session, Path directory, ClassLoader before)
    implements AutoCloseable {

  /** Starts one; tests are skipped without what {@link ClusterRunTest} needs. */
  static GpuCluster start(Path directory, Class<? extends Accelerator> accelerator)
      throws IOException {
    return start(directory, accelerator, "", directory);
  }

  /**
   * The same for an accelerator that needs more than its class.
   *
   * @param classPath of the executors, before the accelerator
   * @param libraries that they load
   */
  static GpuCluster start(
      Path directory, Class<? extends Accelerator> accelerator, String classPath, Path libraries)
      throws IOException {
    String jar = PackagedJob.jar();
    Path doubled = RecordingAccelerator.jar(directory, accelerator);
    ClassLoader before = Thread.currentThread().getContextClassLoader();
    Thread.currentThread()
        .setContextClassLoader(new URLClassLoader(new URL[] {doubled.toUri().toURL()}, before));
    SparkSession session =
        SparkSession.builder()
            .master("local-cluster[1, 2, 1024]")
            .config("spark.ui.enabled", false)
            .config("spark.sql.shuffle.partitions", 1)
            .config("spark.executor.extraClassPath", jar + ":" + classPath + ":" + doubled)
            .config("spark.executor.extraLibraryPath", libraries.toString())
            .config("spark.executor.extraJavaOptions", "-Dmixtraining.double=" + directory)
            .config("spark.plugins", TrainingPlugin.class.getName())
            .config("spark.worker.resource.gpu.amount", 2)
            .config("spark.worker.resource.gpu.discoveryScript", script(directory).toString())
            .config("spark.executor.resource.gpu.amount", 2)
            .getOrCreate();
    session.sparkContext().setLogLevel("OFF");
    Prepare.run(
        session,
        SmallRun.config(directory.resolve("images")).data(),
        Prepare.Existing.REFUSE,
        line -> {});
    return new GpuCluster(session, directory, before);
  }

  private static Path script(Path directory) throws IOException {
    Path script = directory.resolve("gpus.sh");
    Files.writeString(script, "#!/bin/sh\necho '{\"name\":\"gpu\",\"addresses\":[\"3\",\"7\"]}'\n");
    assertThat(script.toFile().setExecutable(true)).isTrue();
    return script;
  }

  List<EpochOutcome> train(String... overrides) {
    var spark = JavaSparkContext.fromSparkContext(session.sparkContext());
    List<EpochOutcome> epochs = new ArrayList<>();
    try (var run = new SparkRun(spark, SmallRun.config(directory.resolve("images"), overrides))) {
      run.train(run.initialState(), epochs::add);
    }
    return epochs;
  }

  /** Test images as an untrained model completes them. */
  Reconstruction reconstruct(String... overrides) {
    var spark = JavaSparkContext.fromSparkContext(session.sparkContext());
    var hadoop = spark.hadoopConfiguration();
    JobConfig config = SmallRun.config(directory.resolve("images"), overrides);
    ModelState model = TrainingData.open(hadoop, config).initialModel();
    FrozenModel frozen = new FrozenModel(spark, config, model);
    String images = config.data().labelled().get(0).path();
    return frozen
        .reconstruct(new Completions(hadoop, images, frozen.manifest()).images())
        .orElseThrow();
  }

  @Override
  public void close() {
    session.stop();
    Thread.currentThread().setContextClassLoader(before);
  }
}
