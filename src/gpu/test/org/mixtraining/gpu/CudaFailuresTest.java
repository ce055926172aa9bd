package org.mixtraining.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.config.UserException;
import org.mixtraining.config.WorkersConfig.Precision;
import org.mixtraining.kernels.DeviceLostError;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Objective;
import org.mixtraining.train.TrainingBatch;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.StepResult;
import org.mixtraining.vit.state.ModelState;

/** Steps of which a call to the driver or to a library fails. */
@Tag("double")
class CudaFailuresTest {
  private static final EpochPlan PLAN = GpuStepsTest.plan(Objective.JOINT, MixPass.VISIBLE, 0);
  private static final int IMAGES = 2;

  private final DriverDouble driver = DriverDouble.load();

  @BeforeEach
  void begin() {
    driver.reset();
    new CudaAccelerator().bind("0");
  }

  @AfterEach
  void nothingIsLeft() {
    assertThat(driver.complaints()).isEmpty();
    driver.reset();
    assertThat(driver.live()).isEmpty();
  }

  private static Replica replica() {
    return GpuStepsTest.replica(GpuStepsTest.VIT, GpuStepsTest.ONE_HEAD, PLAN);
  }

  private static Gpu open() {
    return CudaGpu.open(CudaDevice.at(0), Precision.BF16);
  }

  private static List<TrainingBatch> batches(int... images) {
    return GpuStepsTest.batches(Objective.JOINT, images);
  }

  /** What an epoch of these steps comes to. */
  private record Epoch(List<StepResult> results, ModelState state) {

    static Epoch of(GpuSteps steps, Replica replica, ModelState from, List<TrainingBatch> batches) {
      replica.load(from);
      steps.begin(PLAN, batches.size());
      List<StepResult> results = new ArrayList<>();
      batches.forEach(batch -> results.addAll(steps.take(batch)));
      results.addAll(steps.end());
      return new Epoch(results, replica.state());
    }
  }

  @Test
  void failuresHereAndThereAreToldAndTheNextEpochIsRight() {
    failEvery(197);
  }

  @Tag("slow")
  @Test
  void eachFailureOfAnEpochIsToldAndTheNextEpochIsRight() {
    failEvery(1);
  }

  /**
   * Every so many-th call of an epoch of four steps: one whose calls are made as they are, one that
   * is captured, one that is repeated, and one that needs more memory, which moves.
   */
  private void failEvery(int calls) {
    List<TrainingBatch> batches = batches(IMAGES, IMAGES, IMAGES, IMAGES + 1);
    try (Replica replica = replica()) {
      ModelState from = replica.state();
      Epoch expected;
      long all;
      try (GpuSteps steps = new GpuSteps(open(), replica)) {
        driver.reset();
        expected = Epoch.of(steps, replica, from, batches);
        all = driver.calls();
        assertThat(driver.replays()).isEqualTo(2);
      }
      assertThat(all).isGreaterThan(300);
      for (long n = 1; n <= all; n += calls) {
        try (GpuSteps steps = new GpuSteps(open(), replica)) {
          driver.reset().failCall(n);
          Throwable failure = catchThrowable(() -> Epoch.of(steps, replica, from, batches));
          String where = "call %s of %s, %s".formatted(n, all, driver.failed());
          assertThat(failure).as(where).isNotNull();
          assertThat(failure.getMessage()).contains(reason(driver.failed()));
          assertThat(Epoch.of(steps, replica, from, batches)).as(where).isEqualTo(expected);
        }
        assertThat(driver.live()).as("call %d of %d, %s", n, all, driver.failed()).isEmpty();
        assertThat(driver.complaints()).isEmpty();
      }
    }
  }

  private static String reason(String call) {
    return call.equals("cuMemAlloc") ? "mixtraining.optimizer.batch-size: a step takes more" : call;
  }

  /**
   * Memory that was given up for the larger batch is no longer read by graphs of the smaller one.
   */
  @Test
  void aBatchThatIsTooLargeLeavesTheSmallerOnesRight() {
    List<TrainingBatch> small = batches(IMAGES, IMAGES, IMAGES);
    List<TrainingBatch> large = batches(200);
    try (Replica replica = replica();
        GpuSteps steps = new GpuSteps(open(), replica)) {
      ModelState from = replica.state();
      Epoch expected = Epoch.of(steps, replica, from, small);
      long used = driver.used();
      for (int more = 0; more < 6; more++) {
        driver.budget(used + (more << 19));
        assertThatThrownBy(() -> Epoch.of(steps, replica, from, large))
            .as("%d half MB more", more)
            .isInstanceOf(UserException.class)
            .hasMessageContaining("mixtraining.optimizer.batch-size: a step takes more memory");
        assertThat(Epoch.of(steps, replica, from, small)).isEqualTo(expected);
      }
    }
  }

  /** At each of which the process ends, so that all that is left is memory of the device. */
  @Test
  void aKernelThatFaultsIsToldAndLosesTheDevice() {
    List<TrainingBatch> batches = batches(IMAGES, IMAGES, IMAGES, IMAGES + 1);
    try (Replica replica = replica()) {
      ModelState from = replica.state();
      long all;
      try (GpuSteps steps = new GpuSteps(open(), replica)) {
        driver.reset();
        Epoch.of(steps, replica, from, batches);
        all = driver.kernels();
      }
      assertThat(all).isGreaterThan(200);
      for (long n = 1; n <= all; n += 31) {
        GpuSteps steps = new GpuSteps(open(), replica);
        driver.reset().faultKernel(n);
        assertThatThrownBy(() -> Epoch.of(steps, replica, from, batches))
            .as("kernel %d of %d", n, all)
            .isInstanceOf(DeviceLostError.class);
        assertThatThrownBy(steps::close).isInstanceOf(DeviceLostError.class);
        assertThat(driver.live()).matches("\\d+ device memory\n");
        assertThat(driver.complaints()).isEmpty();
        driver.reset();
        driver.forget();
      }
    }
  }
}
