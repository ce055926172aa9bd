package org.mixtraining.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.config.JobConfig;
import org.mixtraining.schedule.Objective;
import org.mixtraining.train.TrainingBatch;
import org.mixtraining.train.Workload;
import org.mixtraining.vit.Replica;

/** Threads that share memory and wait for each other where they must. */
class KernelRacesTest {

  /** The steps of both types launch all kernels whose threads share memory. */
  @Test
  void noKernelOfAStepHasThreadsThatRace() throws IOException {
    Set<String> launched = new TreeSet<>();
    for (Memory.Type matrixType : List.of(Memory.Type.FLOAT, Memory.Type.BF16)) {
      launched.addAll(launchedByAStep(matrixType));
    }
    assertThat(launched)
        .contains("tensor_attention_backward", "attention_backward", "layer_norm_backward")
        .containsAll(kernelsThatShare());
  }

  private static Set<String> launchedByAStep(Memory.Type matrixType) {
    JobConfig config =
        JobConfig.load(
            Optional.empty(),
            List.of(
                "model={preset = vit-nano, patch = 16, dim = 16, heads = 1, decoder = {dim = 16, depth = 1}}",
                "model={depth = 1, positions = learned}",
                "workers.count=1",
                "optimizer={batch-size = 1, clip = 1}"));
    Workload work = Workload.of(config, Objective.JOINT);
    TrainingBatch minibatch = work.onDevice(1).next();
    HostGpu gpu = HostGpu.watchingRaces(matrixType);
    try (Replica replica = work.replica();
        GpuSteps steps = new GpuSteps(gpu, replica)) {
      steps.begin(work.plan(), 1);
      steps.take(minibatch);
      assertThat(steps.end()).hasSize(1);
    }
    return gpu.launched();
  }

  private static List<String> kernelsThatShare() throws IOException {
    List<String> names = new ArrayList<>();
    try (Stream<Path> files = Files.list(HostKernels.SOURCES)) {
      for (Path file : files.toList()) {
        for (String function : Files.readString(file).split("(?<=\n}\n)")) {
          Matcher kernel = KernelSignatures.KERNEL.matcher(function);
          if (function.contains("SHARED(") && kernel.find()) {
            names.add(kernel.group(1));
          }
        }
      }
    }
    assertThat(names).hasSizeGreaterThan(12);
    return names;
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
