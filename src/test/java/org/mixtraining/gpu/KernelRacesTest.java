package org.mixtraining.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.mixtraining.config.JobConfig;
import org.mixtraining.schedule.Objective;
import org.mixtraining.train.TrainingBatch;
import org.mixtraining.train.Workload;
import org.mixtraining.vit.Replica;

/** Threads that share memory and wait for each other where they must. */
class KernelRacesTest {

  @ParameterizedTest
  @EnumSource(
      value = Memory.Type.class,
      names = {"FLOAT", "BF16"})
  void noKernelOfAStepHasThreadsThatRace(Memory.Type matrixType) {
    JobConfig config =
        JobConfig.load(
            Optional.empty(),
            java.util.List.of(
                "model={preset = vit-nano, patch = 16, dim = 16, heads = 1, decoder = {dim = 16, depth = 1}}",
                "model.depth=1",
                "optimizer={batch-size = 2, clip = 1}"));
    Workload work = Workload.of(config, Objective.JOINT);
    TrainingBatch minibatch = work.onDevice(1).next();
    HostGpu gpu = HostGpu.watchingRaces(matrixType);
    try (Replica replica = work.replica();
        GpuSteps steps = new GpuSteps(gpu, replica)) {
      steps.begin(work.plan(), 1);
      steps.take(minibatch);
      assertThat(steps.end()).hasSize(1);
    }
    assertThat(gpu.launched())
        .contains(
            matrixType == Memory.Type.BF16 ? "tensor_attention_backward" : "attention_backward",
            matrixType == Memory.Type.BF16 ? "image_slices" : "bias_gelu_backward",
            "layer_norm_backward",
            "edit_images",
            "sample_masks",
            "clip_factor");
  }

  /** Neighbours, and threads of other warps: 0 no barrier, 1 of the warp, 2 of the block. */
  @ParameterizedTest
  @CsvSource({"1, 2", "32, 2", "0, 0"})
  void barriersLieBetweenAWriteAndARead(int distance, int barrier) {
    assertThatCode(() -> passOn(distance, barrier)).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({"1, 0", "32, 0", "32, 1"})
  void aReadWithoutABarrierBeforeItIsARace(int distance, int barrier) {
    assertThatThrownBy(() -> passOn(distance, barrier))
        .hasMessage("pass_on has threads that race for shared memory");
  }

  private static void passOn(int distance, int barrier) {
    HostGpu gpu = HostGpu.watchingRaces(Memory.Type.FLOAT);
    try (gpu;
        Arena arena = new Arena(gpu)) {
      Memory to = arena.of("to", Memory.Type.INT, 64);
      gpu.launch("pass_on", 1, 64, 64 * Integer.BYTES, to, distance, barrier);
    }
  }

  @Test
  void launchesAreHeldToTheKernelsParameters() {
    KernelSignatures signatures = new KernelSignatures(Memory.Type.BF16);
    Memory floats = new Memory(256, Memory.Type.FLOAT, 4);
    Memory matrix = new Memory(256, Memory.Type.BF16, 4);
    signatures.check("round_values", floats, matrix, 4L);
    assertThatThrownBy(() -> signatures.check("round_values", floats, matrix, 4))
        .hasMessageContaining("round_values: 4 is no long n");
    assertThatThrownBy(() -> signatures.check("round_values", matrix, floats, 4L))
        .hasMessageContaining("is no float* x");
    assertThatThrownBy(() -> signatures.check("round_values", floats, matrix))
        .hasMessageContaining("arguments of round_values");
  }
}
