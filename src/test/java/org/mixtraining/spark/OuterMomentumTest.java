package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.mixtraining.config.JobConfig.Averaging;
import org.mixtraining.config.JobConfig.Exchange;
import org.mixtraining.vit.ModelState;
import org.mixtraining.vit.ModelState.Block;

class OuterMomentumTest {
  private static final Averaging NESTEROV = new Averaging(Exchange.AUTO, 0.5, 0.5);

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

    OuterMomentum.Step step =
        OuterMomentum.ZERO.step(new Averaging(Exchange.AUTO, 1, 0), before, average);

    assertThat(step.state()).isEqualTo(average);
    assertThat(step.state().block("encoder")).isSameAs(average.block("encoder"));
    assertThat(step.momentum()).isEqualTo(OuterMomentum.ZERO);
  }

  @Test
  void withoutMomentumTheRateScalesTheUpdate() {
    ModelState before = state("encoder", block(1, 8, -4));
    ModelState average = state("encoder", block(7, 4, 0));

    OuterMomentum.Step step =
        OuterMomentum.ZERO.step(new Averaging(Exchange.AUTO, 1.5, 0), before, average);

    assertThat(step.state().block("encoder").parameters()).containsExactly(2, 2);
    assertThat(step.momentum()).isEqualTo(OuterMomentum.ZERO);
  }

  @Test
  void twoStepsAreThoseOfNesterovsMethodByHand() {
    ModelState first = state("encoder", block(1, 16));

    // Δ = 8, velocity 8: 16 − 0.5 · (8 + 0.5 · 8)
    var one = OuterMomentum.ZERO.step(NESTEROV, first, state("encoder", block(5, 8)));
    assertThat(one.state().block("encoder").parameters()).containsExactly(10);

    // Δ = 2, velocity 0.5 · 8 + 2 = 6: 10 − 0.5 · (2 + 0.5 · 6)
    var two = one.momentum().step(NESTEROV, one.state(), state("encoder", block(9, 8)));
    assertThat(two.state().block("encoder").parameters()).containsExactly(7.5f);
    assertThat(two.momentum().velocity().block("encoder").parameters()).containsExactly(6);
    assertThat(one.momentum().velocity().block("encoder").parameters())
        .as("the earlier one is not touched")
        .containsExactly(8);
  }

  @Test
  void momentsAndStepsAreThoseOfTheAverage() {
    ModelState before = state("encoder", block(1, 16, 4));
    Block average = block(5, 8, 8);

    Block after =
        OuterMomentum.ZERO
            .step(NESTEROV, before, state("encoder", average))
            .state()
            .block("encoder");

    assertThat(after.m()).isEqualTo(average.m());
    assertThat(after.v()).isEqualTo(average.v());
    assertThat(after.steps()).isEqualTo(5);
  }

  @Test
  void aBlockThatIsNotTrainedKeepsParametersAndVelocity() {
    ModelState before = state("encoder", block(1, 16)).with(state("head", block(1, 3)));
    var one = OuterMomentum.ZERO.step(NESTEROV, before, state("head", block(2, 1)));

    var two = one.momentum().step(NESTEROV, one.state(), state("encoder", block(2, 8)));

    assertThat(one.state().block("encoder")).isEqualTo(before.block("encoder"));
    assertThat(two.state().block("head")).isEqualTo(one.state().block("head"));
    assertThat(two.momentum().velocity().blocks()).containsOnlyKeys("encoder", "head");
    assertThat(two.momentum().velocity().block("head"))
        .isEqualTo(one.momentum().velocity().block("head"));
  }

  /** More values than a slice of the parallel loop holds, and no multiple of it. */
  @Test
  void everyValueIsMoved() {
    var random = new Random(1);
    var old = new float[(1 << 17) + 5];
    var mean = new float[old.length];
    for (int i = 0; i < old.length; i++) {
      old[i] = (float) random.nextGaussian();
      mean[i] = (float) random.nextGaussian();
    }
    ModelState before = state("encoder", block(1, old));

    float[] after =
        OuterMomentum.ZERO
            .step(NESTEROV, before, state("encoder", block(2, mean)))
            .state()
            .block("encoder")
            .parameters();

    for (int i = 0; i < old.length; i++) {
      double delta = (double) old[i] - mean[i];
      assertThat(after[i]).isEqualTo((float) (old[i] - 0.5 * (delta + 0.5 * delta)));
    }
  }
}
