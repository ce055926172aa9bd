package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.UserException;
import org.mixtraining.data.Prepare;
import org.mixtraining.kernels.RecordingAccelerator;

/**
 * A run on GPUs that are none: a discovery script that claims two, and an accelerator that computes
 * on the CPU and notes what it is bound to. It needs what {@link ClusterRunTest} needs.
 */
@Tag("cluster")
class GpuRunTest {
  @TempDir static Path directory;
  private static Path accelerator;
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
    accelerator = RecordingAccelerator.jar(directory, RecordingAccelerator.class);
    before = Thread.currentThread().getContextClassLoader();
    Thread.currentThread()
        .setContextClassLoader(new URLClassLoader(new URL[] {accelerator.toUri().toURL()}, before));
    cluster = session(jar, script());
    Prepare.run(
        cluster, SmallRun.config(directory.resolve("images")).data(), Prepare.Existing.REFUSE);
  }

  private static Path script() throws Exception {
    Path script = directory.resolve("gpus.sh");
    Files.writeString(script, "#!/bin/sh\necho '{\"name\":\"gpu\",\"addresses\":[\"3\",\"7\"]}'\n");
    assertThat(script.toFile().setExecutable(true)).isTrue();
    return script;
  }

  private static SparkSession session(String jar, Path script) {
    SparkSession session =
        SparkSession.builder()
            .master("local-cluster[1, 2, 1024]")
            .config("spark.ui.enabled", false)
            .config("spark.sql.shuffle.partitions", 1)
            .config("spark.executor.extraClassPath", jar + ":" + accelerator)
            .config("spark.executor.extraJavaOptions", "-Dmixtraining.double=" + directory)
            .config("spark.plugins", TrainingPlugin.class.getName())
            .config("spark.worker.resource.gpu.amount", 2)
            .config("spark.worker.resource.gpu.discoveryScript", script.toString())
            .config("spark.executor.resource.gpu.amount", 2)
            .getOrCreate();
    session.sparkContext().setLogLevel("OFF");
    return session;
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.stop();
      Thread.currentThread().setContextClassLoader(before);
    }
  }

  private static List<EpochOutcome> train(String... overrides) {
    var spark = JavaSparkContext.fromSparkContext(cluster.sparkContext());
    List<EpochOutcome> epochs = new ArrayList<>();
    try (var run =
        new MixTrainingRun(spark, SmallRun.config(directory.resolve("images"), overrides))) {
      run.train(run.initialState(), epochs::add);
    }
    return epochs;
  }

  @Test
  void eachWorkerComputesOnTheGpuThatSparkGaveIt() throws Exception {
    var profiles = new Profiles();
    cluster.sparkContext().addSparkListener(profiles);
    int earlier = bindings().size();

    List<EpochOutcome> epochs = train("workers.device=gpu");

    assertThat(epochs)
        .hasSize(3)
        .allSatisfy(
            epoch ->
                assertThat(epoch.workers())
                    .extracting(share -> share.place().device())
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
    cluster.sparkContext().removeSparkListener(profiles);
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
    cluster.sparkContext().addSparkListener(profiles);

    for (int run = 0; run < 2; run++) {
      assertThat(train("workers.device=auto", "pipeline=sl", "epochs={ssl = 0, sl = 1}"))
          .allSatisfy(
              epoch ->
                  assertThat(epoch.workers())
                      .extracting(share -> share.place().device())
                      .containsExactlyInAnyOrder("double:3", "double:7"));
    }

    assertThat(profiles.ofTraining.values()).containsExactly(2);
    cluster.sparkContext().removeSparkListener(profiles);
  }

  @Test
  void withoutAnAcceleratorAGpuIsRefusedBeforeAnyWork() {
    ClassLoader with = Thread.currentThread().getContextClassLoader();
    Thread.currentThread().setContextClassLoader(before);
    try {
      assertThatThrownBy(() -> train("workers.device=gpu"))
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
