package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.mixtraining.config.UserException;
import org.mixtraining.config.WorkersConfig;
import org.mixtraining.config.WorkersConfig.Device;
import org.mixtraining.spark.WorkerDevices.Kind;
import org.mixtraining.spark.WorkerDevices.Library;

class WorkerDevicesTest {
  private static final Optional<Library> CUDA = Optional.of(new Library("cuda", false));

  private static WorkersConfig workers(Device device) {
    return new WorkersConfig(4, 2, 3, device, WorkersConfig.Precision.FP32, false, 10, 30);
  }

  private static SparkConf cluster(String... settings) {
    SparkConf conf = new SparkConf(false).setMaster("spark://host:7077");
    for (int i = 0; i < settings.length; i += 2) {
      conf.set(settings[i], settings[i + 1]);
    }
    return conf;
  }

  private static void assertRefused(SparkConf conf, Optional<Library> accelerator, String why) {
    assertThatThrownBy(() -> WorkerDevices.choose(workers(Device.GPU), conf, accelerator))
        .isInstanceOf(UserException.class)
        .hasMessageStartingWith("mixtraining.workers.device = gpu: ")
        .hasMessageContaining(why)
        .hasMessageEndingWith("or set it to auto or cpu");
    assertThat(WorkerDevices.choose(workers(Device.AUTO), conf, accelerator).gpus()).isFalse();
  }

  @Test
  void aGpuWhereSparkAssignsNoneIsRefusedByTheSettingsName() {
    assertRefused(
        cluster(), CUDA, "spark.executor.resource.gpu.amount is not set, so Spark assigns no GPU");
    assertRefused(
        cluster("spark.master", "local[4]", WorkerDevices.AMOUNT, "1"),
        CUDA,
        "spark.master = local[4]: Spark assigns GPUs on a cluster only");
    assertRefused(
        cluster(WorkerDevices.AMOUNT, "1"), Optional.empty(), "build for GPUs with mvn package");
  }

  @Test
  void gpusOfExecutorsAreTakenIfTheyAreAskedForOrThere() {
    SparkConf conf = cluster(WorkerDevices.AMOUNT, "2");

    assertThat(WorkerDevices.choose(workers(Device.GPU), conf, CUDA).kind())
        .isEqualTo(Kind.GPU_OF_EXECUTOR);
    WorkerDevices found = WorkerDevices.choose(workers(Device.AUTO), conf, CUDA);
    assertThat(found.kind()).isEqualTo(Kind.GPU_OF_EXECUTOR);
    assertThat(found.reason())
        .isEqualTo("spark.executor.resource.gpu.amount = 2, and this build has cuda");
    assertThat(WorkerDevices.choose(workers(Device.CPU), conf, CUDA).gpus()).isFalse();
  }

  @Test
  void dynamicAllocationStartsExecutorsWithGpusForTrainingOnly() {
    SparkConf conf = cluster("spark.dynamicAllocation.enabled", "true");

    assertThat(WorkerDevices.choose(workers(Device.GPU), conf, CUDA).kind())
        .isEqualTo(Kind.EXECUTOR_WITH_GPU);
    assertThat(WorkerDevices.choose(workers(Device.AUTO), conf, CUDA).kind()).isEqualTo(Kind.CPU);
  }

  /** While others hold the GPUs, perhaps for ever. */
  @Test
  void gpusOfExecutorsThatDynamicAllocationStartsGoToEveryTask() {
    SparkConf conf = cluster("spark.dynamicAllocation.enabled", "true", WorkerDevices.AMOUNT, "2");

    for (Device device : List.of(Device.GPU, Device.AUTO)) {
      assertThatThrownBy(() -> WorkerDevices.choose(workers(device), conf, CUDA))
          .isInstanceOf(UserException.class)
          .hasMessageStartingWith(
              "spark.dynamicAllocation.enabled = true with spark.executor.resource.gpu.amount = 2: needs spark.task.resource.gpu.amount = 1");
    }
    conf.set("spark.task.resource.gpu.amount", "1");
    assertThat(WorkerDevices.choose(workers(Device.GPU), conf, CUDA).kind())
        .isEqualTo(Kind.GPU_OF_EXECUTOR);
  }

  @Test
  void aRunThatWasTrainedOnGpusIsEvaluatedWithoutThemWhereThereAreNone() {
    var run = workers(Device.GPU);

    assertThat(WorkerDevices.choose(run, cluster(), CUDA, false).reason())
        .startsWith("spark.executor.resource.gpu.amount is not set");
    assertThat(WorkerDevices.choose(run, cluster(), CUDA, false).kind()).isEqualTo(Kind.CPU);
    assertThat(WorkerDevices.choose(run, cluster(WorkerDevices.AMOUNT, "1"), CUDA, false).kind())
        .isEqualTo(Kind.GPU_OF_EXECUTOR);
    assertThat(
            WorkerDevices.choose(
                    run, cluster("spark.dynamicAllocation.enabled", "true"), CUDA, false)
                .kind())
        .isEqualTo(Kind.EXECUTOR_WITH_GPU);
  }

  @Test
  void anExecutorWithAnotherLibraryThanTheDriversIsNamed() {
    WorkerDevices chosen =
        WorkerDevices.choose(workers(Device.GPU), cluster(WorkerDevices.AMOUNT, "1"), CUDA);

    chosen.verify(CUDA, "executor 3 on host");
    assertThatThrownBy(() -> chosen.verify(Optional.empty(), "executor 3 on host"))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "mixtraining.workers.device: the driver uses GPUs through cuda (single operations), but executor 3 on host has no such library; give the driver and all executors the same mixtraining.jar, or set mixtraining.workers.device = cpu");
    Optional<Library> other = Optional.of(new Library("cuda", true));
    assertThatThrownBy(() -> chosen.verify(other, "executor 3 on host"))
        .hasMessageContaining("executor 3 on host has cuda (whole steps);");
  }
}
