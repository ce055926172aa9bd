package org.mixtraining.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.WorkersConfig.Precision;
import org.mixtraining.gpu.StepPlan.Work;
import org.mixtraining.schedule.Objective;
import org.mixtraining.train.Workload;

/**
 * A step's plan against counts by hand: one block 8 wide with 2 heads, on 3 images of 32 pixels in
 * patches of 16, so 5 tokens each, in bfloat16.
 */
class StepPlanTest {
  private static final int ROWS = 3 * 5;
  private static final int BF16 = 2;
  private static final int FLOAT = 4;

  private static SortedMap<String, Work> plan() {
    JobConfig config =
        JobConfig.load(
            Optional.empty(),
            List.of(
                "model={preset = vit-nano, patch = 16, dim = 8, heads = 2, pooling = mean}",
                "model.depth=1",
                "optimizer={batch-size = 3, clip = 0}"));
    return StepPlan.of(Workload.of(config, Objective.SL), Precision.BF16);
  }

  private static Work product(int m, int n, int k, int outBytes) {
    return new Work(1, BF16 * (m * k + k * n) + outBytes * m * n, 2.0 * m * n * k);
  }

  private static Work withGelu(Work product) {
    return new Work(1, product.bytes() + BF16 * ROWS * 32, product.flops());
  }

  @Test
  void productsReadTheirFactorsAndWriteTheirSums() {
    Work proj = product(ROWS, 8, 8, BF16);
    assertThat(plan())
        .containsEntry("qkv 15x24x8 nn bf16 + bias", product(ROWS, 24, 8, BF16))
        .as("what GELU is taken of is written and read beside")
        .containsEntry("fc1 15x32x8 nn bf16 + bias, gelu", withGelu(product(ROWS, 32, 8, BF16)))
        .containsEntry(
            "fc2 by input 15x32x8 nt bf16 + bias, gelu'", withGelu(product(ROWS, 32, 8, BF16)))
        .containsEntry("fc1 by weight 8x32x15 tn float", product(8, 32, ROWS, FLOAT))
        .containsEntry("fc1 by input 15x8x32 nt bf16", product(ROWS, 8, 32, BF16))
        .as("the residual is read too")
        .containsEntry(
            "proj 15x8x8 nn bf16 + bias",
            new Work(1, proj.bytes() + BF16 * ROWS * 8, proj.flops()));
  }

  @Test
  void kernelsReadAndWriteTheirArguments() {
    assertThat(plan())
        .as("x, y, gain, bias and two statistics, of 3 norms")
        .containsEntry(
            "layer_norm",
            new Work(3, 3 * (2 * ROWS * 8 * BF16 + 2 * 8 * FLOAT + 2 * ROWS * FLOAT), 0))
        .as("of 6 heads qkv, out and a sum for each query; two products of 5 x 4 by 4 x 5")
        .containsEntry(
            "attention",
            new Work(1, ROWS * (24 + 8) * BF16 + 2 * ROWS * FLOAT, 6 * 2 * 2 * 5 * 5 * 4))
        .as("gradients of them too, and their sums over an image's tokens; seven products")
        .containsEntry(
            "attention_backward",
            new Work(
                1,
                2 * ROWS * (24 + 8) * BF16 + 2 * ROWS * FLOAT + 3 * 24 * FLOAT,
                6 * 7 * 2 * 5 * 5 * 4));
  }

  /**
   * 2 for images, 4 for tokens, 7 of the block, 1 norm, 3 of the head, 3 of the metrics; back 4 of
   * the head, 1 norm, 13 of the block, 4 of the tokens, 1 for the slices; 1 for the parameters.
   */
  @Test
  void everyLaunchIsCounted() {
    assertThat(plan().values().stream().mapToLong(Work::launches).sum()).isEqualTo(44);
  }

  @Test
  void aTimeIsEstimatedFromTheLargerDemandAndTheLaunches() {
    assertThat(new Work(100, 2_800_000_000L, 1e9).seconds())
        .isCloseTo(1e-3 + 100 * 3e-6, within(1e-9));
    assertThat(new Work(1, 1000, 4e11).seconds()).isCloseTo(1e-3 + 3e-6, within(1e-9));
    assertThat(StepPlan.describe(Objective.SL, 3, plan()))
        .startsWith("SL, batch 3: 44 launches, 0.00 GB");
  }

  /** Of vit-tiny at a batch of 1024. */
  @ParameterizedTest
  @EnumSource(Objective.class)
  void thePagesHaveThePlansTimes(Objective objective) throws IOException {
    JobConfig config =
        JobConfig.load(
            Optional.empty(),
            List.of("model={preset = vit-tiny, patch = 4}", "optimizer.batch-size = 1024"));
    SortedMap<String, Work> plan = StepPlan.of(Workload.of(config, objective), Precision.BF16);
    Work all = plan.values().stream().reduce(Work.NONE, Work::plus);
    double milliseconds = 1e3 * plan.values().stream().mapToDouble(Work::seconds).sum();

    assertThat(milliseconds).isLessThan(11);
    assertThat(Path.of("src/site/markdown/gpus.md"))
        .content()
        .contains(
            String.format(
                Locale.ROOT,
                "| %s | %d | %.1f GB | %.2f TFLOP | %.1f ms |",
                objective,
                all.launches(),
                all.bytes() / 1e9,
                all.flops() / 1e12,
                milliseconds));
    assertThat(Files.readAllLines(Path.of("README.md")))
        .anyMatch(
            line ->
                line.startsWith("| A step on a GPU | *Estimated*, not measured: ")
                    && line.contains(String.format(Locale.ROOT, " → %.1f", milliseconds)));
  }

  /** Else it would be counted once. */
  @Test
  void argumentsThatAreReadAndWrittenCanBeWritten() {
    KernelSignatures signatures = new KernelSignatures(Memory.Type.BF16);
    StepPlan.UPDATED.forEach(
        (kernel, places) ->
            places.forEach(
                place ->
                    assertThat(signatures.writes(kernel, place))
                        .as("%s, argument %s", kernel, place)
                        .isTrue()));
  }
}
