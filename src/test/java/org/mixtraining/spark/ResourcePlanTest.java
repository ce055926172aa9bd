package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.mixtraining.config.WorkersConfig;
import org.mixtraining.config.WorkersConfig.Device;
import org.mixtraining.spark.ResourcePlan.Scheduler;

class ResourcePlanTest {
  private static final long STATE = 86_000_000;
  private static final MemoryNeed NEED = MemoryNeed.of(2, STATE, 60_000_000, 700_000_000);

  private static ResourcePlan plan(int count, int perExecutor, Device device) {
    return new ResourcePlan(
        new WorkersConfig(
            count, perExecutor, 3, device, WorkersConfig.Precision.FP32, false, 10, 30),
        1,
        Optional.of(new ResourcePlan.Need(NEED, STATE)));
  }

  @Test
  void everyNumberSaysWhatItComesFrom() {
    assertThat(plan(5, 2, Device.GPU).describe())
        .isEqualToIgnoringNewLines(
            """
            workers                           5  mixtraining.workers.count
            executors                         3  mixtraining.workers.per-executor = 2
            cores per executor                6  2 at a time, mixtraining.workers.threads-per-worker = 3
            GPUs per executor                 2  one per worker; mixtraining.workers.device = gpu
            heap per executor           1059 MB  Spark, and 4 copies of the state per worker, 86.0 MB; plus 25 %, at least 1024
            memory beyond the heap      2170 MB  images 120.0 MB, computing 1400.0 MB, the process 300.0 MB; plus 25 %
            driver heap                 3109 MB  averaging the states of up to 8 workers; plus 25 %, at least 1024
            """);
  }

  @Test
  void whatItGivesIsWhatARunNeeds() {
    var settings = plan(5, 2, Device.CPU).settings(Scheduler.YARN, "-Dflag=1");

    var conf = new org.apache.spark.SparkConf(false).setMaster("yarn");
    settings.forEach(conf::set);
    MemoryGiven given = MemoryGiven.to(conf, 1);
    assertThat(given.tasks()).isEqualTo(2);
    NEED.check(given);
    assertThat(settings)
        .containsEntry("spark.executor.instances", "3")
        .doesNotContainKey(WorkerDevices.AMOUNT);
  }

  @Test
  void eachSchedulerIsAskedForGpusInItsOwnWords() {
    ResourcePlan plan = plan(4, 4, Device.GPU);

    assertThat(plan.settings(Scheduler.STANDALONE, ""))
        .containsEntry("spark.cores.max", "12")
        .containsEntry("spark.executor.resource.gpu.amount", "4")
        .doesNotContainKey("spark.executor.resource.gpu.discoveryScript");
    assertThat(plan.settings(Scheduler.YARN, ""))
        .containsEntry("spark.executor.resource.gpu.discoveryScript", "./gpus.sh");
    assertThat(plan.settings(Scheduler.KUBERNETES, ""))
        .containsEntry("spark.executor.resource.gpu.vendor", "nvidia.com")
        .containsEntry("spark.task.resource.gpu.amount", "1");
  }

  @Test
  void trainingsSideBySideNeedExecutorsForAll() {
    var plan =
        new ResourcePlan(
            new WorkersConfig(2, 1, 1, Device.AUTO, WorkersConfig.Precision.FP32, false, 10, 30),
            3,
            Optional.empty());

    assertThat(plan.executors()).isEqualTo(6);
    assertThat(plan.describe())
        .contains(
            "mixtraining.workers.count = 2, in 3 trainings side by side (mixtraining.compare.parallel)")
        .contains("unknown until the data is prepared");
  }
}
