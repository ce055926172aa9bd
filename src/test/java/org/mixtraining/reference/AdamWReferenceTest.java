package org.mixtraining.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.mixtraining.reference.AdamWReference.Slot;

class AdamWReferenceTest {

  private static final Offset<Double> EXACT = within(1e-15);

  /** Bias correction makes the first step lr·g/(|g| + eps), whatever the betas. */
  @Test
  void theFirstStepHasTheLengthOfTheLearningRate() {
    AdamWReference adam = new AdamWReference(0.1, 0.9, 0.999, 0.5, 0);

    Slot next = only(adam, Slot.fresh(new double[] {1, 1, 1}), 2, -0.5, 0);

    assertThat(next.weights())
        .containsExactly(new double[] {1 - 0.1 * 2 / 2.5, 1 + 0.1 * 0.5, 1}, EXACT);
    assertThat(next.steps()).isEqualTo(1);
  }

  /** m = 0.9·0.2 − 0.1 = 0.08 over 0.19, v = 0.99·0.04 + 0.01 = 0.0496 over 0.0199. */
  @Test
  void theSecondStepByHand() {
    AdamWReference adam = new AdamWReference(0.1, 0.9, 0.99, 0.001, 0);

    Slot first = only(adam, Slot.fresh(new double[] {0}), 2);
    Slot second = only(adam, first, -1);

    double step = 0.08 / 0.19 / (Math.sqrt(0.0496 / 0.0199) + 0.001);
    assertThat(second.m()[0]).isCloseTo(0.08, EXACT);
    assertThat(second.v()[0]).isCloseTo(0.0496, EXACT);
    assertThat(second.weights()[0]).isCloseTo(first.weights()[0] - 0.1 * step, EXACT);
  }

  @Test
  void onlyWeightsDecayAndTheirMomentsDoNotSeeIt() {
    AdamWReference adam = new AdamWReference(0.1, 0.9, 0.999, 1e-8, 0.05);
    Map<String, Slot> state =
        Map.of("a.weight", Slot.fresh(new double[] {4}), "a.bias", Slot.fresh(new double[] {4}));

    Map<String, Slot> next =
        adam.step(state, Map.of("a.weight", new double[] {0}, "a.bias", new double[] {0}));

    assertThat(next.get("a.weight").weights()[0]).isCloseTo(4 - 0.1 * 0.05 * 4, EXACT);
    assertThat(next.get("a.weight").m()).containsExactly(0);
    assertThat(next.get("a.bias").weights()).containsExactly(4);
  }

  @Test
  void aTensorWithoutAGradientSitsTheStepOut() {
    AdamWReference adam = new AdamWReference(0.1, 0.9, 0.999, 1e-8, 0.05);
    Map<String, Slot> state =
        Map.of("a.weight", Slot.fresh(new double[] {4}), "b.weight", Slot.fresh(new double[] {4}));

    Map<String, Slot> next = adam.step(state, Map.of("a.weight", new double[] {1}));

    assertThat(next.get("b.weight")).isSameAs(state.get("b.weight"));
    assertThat(state.get("a.weight").weights()).as("the state before").containsExactly(4);
  }

  private static Slot only(AdamWReference adam, Slot slot, double... gradient) {
    return adam.step(Map.of("x.bias", slot), Map.of("x.bias", gradient)).get("x.bias");
  }
}
