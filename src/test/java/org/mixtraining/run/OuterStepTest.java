package org.mixtraining.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.config.AveragingConfig;
import org.mixtraining.config.AveragingConfig.Exchange;
import org.mixtraining.config.AveragingConfig.Rounds;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.vit.state.ModelState;
import org.mixtraining.vit.state.ModelState.Block;

class OuterStepTest {
  private static final Rounds ONCE = new Rounds(1);
  private static final AveragingConfig NESTEROV =
      new AveragingConfig(Exchange.AUTO, ONCE, 0.5, 0.5);

  private static final ModelState STILL = new ModelState(Map.of());

  private static Block block(long steps, float... parameters) {
    return new Block(parameters, new float[parameters.length], parameters.clone(), steps);
  }

  private static ModelState state(String name, Block block) {
    return new ModelState(Map.of(name, block));
  }

  @Test
  void rateOneWithoutMomentumIsTheAverageItself() {
    ModelState before = state("encoder", block(1, 0.1f, 0.2f));
    ModelState average = state("encoder", block(2, 0.3f, 1e-8f));

    OuterStep step =
        OuterStep.of(new AveragingConfig(Exchange.AUTO, ONCE, 1, 0), before, average, STILL);

    assertThat(step.model()).isEqualTo(average);
    assertThat(step.model().block("encoder")).isSameAs(average.block("encoder"));
    assertThat(step.velocity()).isEqualTo(STILL);
  }

  @Test
  void withoutMomentumTheRateScalesTheUpdate() {
    ModelState before = state("encoder", block(1, 8, -4));
    ModelState average = state("encoder", block(7, 4, 0));

    OuterStep step =
        OuterStep.of(new AveragingConfig(Exchange.AUTO, ONCE, 1.5, 0), before, average, STILL);

    assertThat(step.model().block("encoder").parameters()).containsExactly(2, 2);
    assertThat(step.velocity()).isEqualTo(STILL);
  }

  @Test
  void twoStepsAreThoseOfNesterovsMethodByHand() {
    ModelState first = state("encoder", block(1, 16));

    // Δ = 8, velocity 8: 16 − 0.5 · (8 + 0.5 · 8)
    var one = OuterStep.of(NESTEROV, first, state("encoder", block(5, 8)), STILL);
    assertThat(one.model().block("encoder").parameters()).containsExactly(10);

    // Δ = 2, velocity 0.5 · 8 + 2 = 6: 10 − 0.5 · (2 + 0.5 · 6)
    var two = OuterStep.of(NESTEROV, one.model(), state("encoder", block(9, 8)), one.velocity());
    assertThat(two.model().block("encoder").parameters()).containsExactly(7.5f);
    assertThat(two.velocity().block("encoder").parameters()).containsExactly(6);
    assertThat(one.velocity().block("encoder").parameters())
        .as("the earlier one is not touched")
        .containsExactly(8);
  }

  @Test
  void momentsAndStepsAreThoseOfTheAverage() {
    ModelState before = state("encoder", block(1, 16, 4));
    Block average = block(5, 8, 8);

    Block after =
        OuterStep.of(NESTEROV, before, state("encoder", average), STILL).model().block("encoder");

    assertThat(after.m()).isEqualTo(average.m());
    assertThat(after.v()).isEqualTo(average.v());
    assertThat(after.steps()).isEqualTo(5);
  }

  @Test
  void aBlockThatIsNotTrainedKeepsParametersAndVelocity() {
    ModelState before = state("encoder", block(1, 16)).with(state("head", block(1, 3)));
    var one = OuterStep.of(NESTEROV, before, state("head", block(2, 1)), STILL);

    var two = OuterStep.of(NESTEROV, one.model(), state("encoder", block(2, 8)), one.velocity());

    assertThat(one.model().block("encoder")).isEqualTo(before.block("encoder"));
    assertThat(two.model().block("head")).isEqualTo(one.model().block("head"));
    assertThat(two.velocity().blocks()).containsOnlyKeys("encoder", "head");
    assertThat(two.velocity().block("head")).isEqualTo(one.velocity().block("head"));
  }

  /** More values than a slice of the parallel loop holds, and no multiple of it. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 8})
  void everyValueIsMoved(int count) {
    var random = new Random(1);
    var old = new float[(1 << 17) + 5];
    var mean = new float[old.length];
    for (int i = 0; i < old.length; i++) {
      old[i] = (float) random.nextGaussian();
      mean[i] = (float) random.nextGaussian();
    }
    ModelState before = state("encoder", block(1, old));

    float[] after;
    try (var threads = new WorkerThreads(count)) {
      ModelState average = state("encoder", block(2, mean));
      OuterStep step = OuterStep.of(NESTEROV, before, average, STILL, threads);
      after = step.model().block("encoder").parameters();
    }

    for (int i = 0; i < old.length; i++) {
      double delta = (double) old[i] - mean[i];
      assertThat(after[i]).isEqualTo((float) (old[i] - 0.5 * (delta + 0.5 * delta)));
    }
  }
}
