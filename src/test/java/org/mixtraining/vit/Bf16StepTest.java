package org.mixtraining.vit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.config.WorkersConfig.Precision;
import org.mixtraining.kernels.Engine;
import org.mixtraining.kernels.Processor;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.state.ModelState;
import org.mixtraining.vit.state.ModelState.Block;

/** Training steps whose products read bfloat16, beside those in float32. */
class Bf16StepTest {

  /**
   * Of a gradient's norm. A factor is wrong by up to 2^-8 of its value, 2^-9.8 root mean square;
   * over the two factors of each of some 30 products, forward and backward, that is under 1.5 %.
   */
  private static final double ERROR = 0.015;

  private static final int IMAGES = 32;

  private final ViT vit =
      ViTFixtures.vit(32, 3, 4, 64, 3, 4, 64, 1, 4, 10, Pooling.MEAN, 0.75, true);

  @BeforeEach
  void needsTheProcessor() {
    assumeTrue(
        Processor.precision(Precision.AUTO) == Precision.BF16,
        "this processor has no quick products in bfloat16");
  }

  private record Step(double loss, ModelState state) {}

  /** A first step: AdamW's first moments are a tenth of its gradient, or a twentieth. */
  private Step step(Objective objective, MixPass pass, Precision precision, int threads) {
    return ViTFixtures.with(
        Engine.cpu(threads, precision),
        () -> {
          try (Replica replica = ViTFixtures.replica(vit, objective, pass)) {
            ViTFixtures.disturb(replica.graph());
            replica.plan(ViTFixtures.plan(objective, pass, 0.3, 1e-3), 1);
            StepResult result =
                ViTFixtures.fit(replica, ViTFixtures.batch(vit, objective, IMAGES, 7));
            return new Step(result.loss(), replica.state());
          }
        });
  }

  @ParameterizedTest
  @CsvSource({
    "SL, VISIBLE",
    "SSL, VISIBLE",
    "JOINT, VISIBLE",
    "JOINT, TWO_PASS",
    "JOINT, CORRUPTED"
  })
  void gradientsAreThoseOfFloat32ToTheRoundingOfFactors(Objective objective, MixPass pass) {
    Step exact = step(objective, pass, Precision.FP32, 2);
    Step rounded = step(objective, pass, Precision.BF16, 2);

    assertThat(rounded.loss / exact.loss).isBetween(1 - ERROR, 1 + ERROR).isNotEqualTo(1);
    exact
        .state
        .blocks()
        .forEach(
            (name, block) -> {
              Block other = rounded.state.block(name);
              assertThat(difference(other.m(), block.m()) / norm(block.m()))
                  .as("%s of %s", name, objective)
                  .isPositive()
                  .isLessThan(ERROR);
            });
  }

  @ParameterizedTest
  @CsvSource({"SL, VISIBLE", "SSL, VISIBLE", "JOINT, TWO_PASS"})
  void theSameStepHasTheSameBitsByAnyNumberOfThreads(Objective objective, MixPass pass) {
    Step one = step(objective, pass, Precision.BF16, 1);

    assertThat(step(objective, pass, Precision.BF16, 1).state).isEqualTo(one.state);
    assertThat(step(objective, pass, Precision.BF16, 3).state).isEqualTo(one.state);
  }

  private static double norm(float[] values) {
    return difference(values, new float[values.length]);
  }

  private static double difference(float[] values, float[] others) {
    double sum = 0;
    for (int i = 0; i < values.length; i++) {
      sum += Math.pow((double) values[i] - others[i], 2);
    }
    return Math.sqrt(sum);
  }
}
