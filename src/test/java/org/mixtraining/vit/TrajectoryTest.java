package org.mixtraining.vit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.config.OptimizerConfig;
import org.mixtraining.reference.AdamWReference;
import org.mixtraining.reference.AdamWReference.Slot;
import org.mixtraining.reference.ReferenceViT;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.LearningRate;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Phase;
import org.mixtraining.vit.layers.TokenLayer;
import org.mixtraining.vit.state.ModelState;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** The first optimizer steps of a graph's own fit, held against the float64 reference. */
class TrajectoryTest {

  private static final int IMAGES = 6;
  private static final double LOST = 2e-8;
  private static final double DECAY = 0.5;
  private static final double LAYER_DECAY = 0.5;
  private static final OptimizerConfig OPTIMIZER =
      new OptimizerConfig(
          new OptimizerConfig.Rates(1, 0, 0, OptimizerConfig.Span.RUN),
          DECAY,
          LAYER_DECAY,
          new OptimizerConfig.Betas(0.9, 0.95),
          new OptimizerConfig.Betas(0.9, 0.999),
          64,
          1,
          0,
          0);

  private final ViT vit = ViTFixtures.small();

  @ParameterizedTest
  @CsvSource({
    "SSL, VISIBLE",
    "SL, VISIBLE",
    "JOINT, VISIBLE",
    "JOINT, CORRUPTED",
    "JOINT, TWO_PASS"
  })
  void fiveStepsEqualTheReference(Objective objective, MixPass pass) {
    try (Replica replica = replica(objective, pass)) {
      ViTFixtures.disturb(replica.graph());
      Reference reference = new Reference(replica);

      reference.follow(replica, plan(objective, pass), 5);

      reference.assertEquals(replica);
      reference.assertEquals(replica.state());
    }
  }

  /** The gradients' norms lie between 0.3 and 3. */
  @ParameterizedTest
  @CsvSource({"SSL, 0.5", "SL, 0.5", "JOINT, 0.1", "JOINT, 100"})
  void aClippedGradientEqualsTheReference(Objective objective, double clip) {
    try (Replica replica = replica(objective, MixPass.VISIBLE)) {
      ViTFixtures.disturb(replica.graph());
      Reference reference = new Reference(replica);

      reference.follow(replica, plan(objective, MixPass.VISIBLE, clip), 5);

      reference.assertEquals(replica);
      reference.assertEquals(replica.state());
    }
  }

  /** Six parts of an image each, the last without any label; four of one or two. */
  @ParameterizedTest
  @CsvSource({
    "SSL, VISIBLE, 4, 0",
    "SL, VISIBLE, 6, 0.5",
    "JOINT, VISIBLE, 4, 0.1",
    "JOINT, TWO_PASS, 6, 0",
    "JOINT, CORRUPTED, 9, 0"
  })
  void stepsTakenInPartsEqualTheReference(
      Objective objective, MixPass pass, int parts, double clip) {
    try (Replica replica = replica(objective, pass)) {
      ViTFixtures.disturb(replica.graph());
      Reference reference = new Reference(replica);

      reference.follow(replica, plan(objective, pass, clip, parts), 5);

      reference.assertEquals(replica);
      reference.assertEquals(replica.state());
    }
  }

  @Test
  void aPlanOfWholeMinibatchesEndsThatOfParts() {
    try (Replica replica = replica(Objective.SL, MixPass.VISIBLE)) {
      replica.plan(plan(Objective.SL, MixPass.VISIBLE, 0, 2), 1);
      assertThat(replica.graph().getListeners()).hasSize(1);

      replica.plan(plan(Objective.SL, MixPass.VISIBLE), 1);

      assertThat(replica.graph().getListeners()).isEmpty();
    }
  }

  @Test
  void aPlanWithoutALimitEndsTheClipping() {
    try (Replica replica = replica(Objective.SL, MixPass.VISIBLE)) {
      replica.plan(plan(Objective.SL, MixPass.VISIBLE, 1e-3), 1);
      replica.plan(plan(Objective.SL, MixPass.VISIBLE, 2e-3), 1);
      assertThat(replica.graph().getListeners()).hasSize(1);

      replica.plan(plan(Objective.SL, MixPass.VISIBLE), 1);

      assertThat(replica.graph().getListeners()).isEmpty();
    }
  }

  @Test
  void everyBlockKeepsItsOwnStepCountWhenAnotherObjectiveTakesOver() {
    try (Replica ssl = replica(Objective.SSL, MixPass.VISIBLE);
        Replica sl = replica(Objective.SL, MixPass.VISIBLE)) {
      Reference reference = new Reference(ssl);
      reference.follow(ssl, plan(Objective.SSL, MixPass.VISIBLE), 7);
      sl.load(sl.state().with(ssl.state()));
      reference.add(sl);
      reference.follow(sl, plan(Objective.SL, MixPass.VISIBLE), 5);

      reference.assertEquals(sl);
      ModelState state = ssl.state().with(sl.state());
      reference.assertEquals(state);
      assertThat(state.block(ModelState.ENCODER).steps()).isEqualTo(12);
      assertThat(state.block(ModelState.DECODER).steps()).isEqualTo(7);
      assertThat(state.block(ModelState.HEAD).steps()).isEqualTo(5);
    }
  }

  private Replica replica(Objective objective, MixPass pass) {
    return new Replica(
        ViTGraph.configuration(
            vit, objective, EncoderInput.of(objective, pass), OPTIMIZER, ViTFixtures.SEED));
  }

  /** The second of three epochs; the warm-up ends in the middle of it. */
  private static EpochPlan plan(Objective objective, MixPass pass) {
    return plan(objective, pass, 0, 1);
  }

  private static EpochPlan plan(Objective objective, MixPass pass, double clip) {
    return plan(objective, pass, clip, 1);
  }

  private static EpochPlan plan(Objective objective, MixPass pass, double clip, int parts) {
    LearningRate rate = new LearningRate(2e-3, 1e-4, 1.5, 3);
    double alpha = ViTFixtures.alpha(objective);
    return new EpochPlan(
        1,
        3,
        Phase.MIX,
        objective,
        EncoderInput.of(objective, pass),
        alpha,
        0.75,
        null,
        rate,
        clip,
        parts);
  }

  /** The reference's weights and moments, which take every step that a replica takes. */
  private final class Reference {
    private final Map<String, Slot> slots = new LinkedHashMap<>();

    Reference(Replica start) {
      add(start);
    }

    /** Takes over the tensors that it does not have yet. */
    void add(Replica replica) {
      ViTFixtures.tensors(replica.graph(), TokenLayer::parameter)
          .forEach((name, values) -> slots.computeIfAbsent(name, n -> Slot.fresh(values)));
    }

    void follow(Replica replica, EpochPlan plan, int steps) {
      OptimizerConfig.Betas betas =
          plan.objective() == Objective.SSL ? OPTIMIZER.sslBetas() : OPTIMIZER.slBetas();
      replica.plan(plan, steps);
      for (int step = 0; step < steps; step++) {
        MultiDataSet batch = ViTFixtures.batch(vit, plan.objective(), IMAGES, step);
        ReferenceViT.Result expected =
            ViTFixtures.reference(
                vit, plan.objective(), plan.input(), plan.alpha(), weights(), batch);
        StepResult actual = ViTFixtures.fit(replica, batch);

        assertThat(actual.loss()).as("step %d", step).isCloseTo(expected.loss(), within(1e-5));
        if (plan.objective() != Objective.SL) {
          assertThat(actual.sslLoss()).isCloseTo(expected.sslLoss(), within(1e-5));
        }
        if (plan.objective() != Objective.SSL) {
          assertThat(actual.slLoss()).isCloseTo(expected.slLoss(), within(1e-5));
        }
        double rate = plan.learningRate(step, steps);
        clip(expected.gradients(), plan.clip());
        expected
            .gradients()
            .forEach(
                (name, gradient) -> {
                  double ofLayer = plan.objective() == Objective.SL ? rate * scale(name) : rate;
                  slots.putAll(
                      new AdamWReference(ofLayer, betas.first(), betas.second(), 1e-8, DECAY)
                          .step(slots, Map.of(name, gradient)));
                });
        takeOverWhatIsLost(replica, expected.gradients());
      }
    }

    /**
     * However small a gradient, AdamW takes a step: where it is lost in the rounding of float32,
     * the step's direction is that of rounding errors, which is any. There the reference goes with
     * the replica, or the two would differ from then on.
     */
    private void takeOverWhatIsLost(Replica replica, Map<String, double[]> gradients) {
      Map<String, double[]> actual = ViTFixtures.tensors(replica.graph(), TokenLayer::parameter);
      gradients.forEach(
          (name, gradient) -> {
            double[] weights = slots.get(name).weights();
            int[] lost =
                IntStream.range(0, gradient.length)
                    .filter(i -> !isOfKeys(name, i, gradient.length) && isLost(gradient[i]))
                    .toArray();
            assertThat(lost).as(name).hasSizeLessThan(2 + gradient.length / 100);
            IntStream.of(lost).forEach(i -> weights[i] = actual.get(name)[i]);
          });
    }

    private void clip(Map<String, double[]> gradients, double greatest) {
      double norm =
          ViTFixtures.norm(gradients.values().stream().flatMapToDouble(DoubleStream::of).toArray());
      if (greatest > 0 && norm > greatest) {
        gradients.replaceAll(
            (name, g) -> DoubleStream.of(g).map(value -> value * greatest / norm).toArray());
      }
    }

    /** Of two blocks between the patch embedding below and the norm and head above. */
    private static double scale(String tensor) {
      return switch (tensor.substring(0, tensor.indexOf('.'))) {
        case "patch-embedding" -> Math.pow(LAYER_DECAY, 3);
        case "encoder-0" -> Math.pow(LAYER_DECAY, 2);
        case "encoder-1" -> LAYER_DECAY;
        default -> 1;
      };
    }

    private Map<String, double[]> weights() {
      Map<String, double[]> weights = new LinkedHashMap<>();
      slots.forEach((name, slot) -> weights.put(name, slot.weights()));
      return weights;
    }

    void assertEquals(Replica replica) {
      ViTFixtures.tensors(replica.graph(), TokenLayer::parameter)
          .forEach(
              (name, actual) ->
                  assertClose(
                      name, settled(name, actual), settled(name, slots.get(name).weights()), 2e-5));
    }

    /** Also that a state is what its documentation says: layer by layer, matrices first. */
    void assertEquals(ModelState state) {
      state
          .blocks()
          .forEach(
              (name, block) -> {
                assertClose(name + " m", doubles(block.m()), packed(name, Slot::m), 1e-6);
                assertClose(name + " v", doubles(block.v()), packed(name, Slot::v), 1e-6);
              });
    }

    private void assertClose(String name, double[] actual, double[] expected, double tolerance) {
      assertThat(actual).hasSameSizeAs(expected);
      double greatest =
          IntStream.range(0, actual.length)
              .mapToDouble(i -> Math.abs(actual[i] - expected[i]))
              .max()
              .orElseThrow();
      assertThat(greatest).as(name).isLessThan(tolerance);
    }

    private double[] packed(String block, Function<Slot, double[]> values) {
      ModelSpec model = ModelSpec.of(vit, List.of(new Head("head", vit.served().classes(), 1)));
      return slots.entrySet().stream()
          .filter(e -> model.tensor(e.getKey()).block().equals(block))
          .flatMapToDouble(e -> DoubleStream.of(values.apply(e.getValue())))
          .toArray();
    }

    private static double[] doubles(float[] values) {
      return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
    }

    /**
     * Without the bias of the keys: the softmax does not feel it, so its true gradient is 0 and
     * AdamW takes rounding errors for its direction.
     */
    private static boolean isLost(double gradient) {
      return gradient != 0 && Math.abs(gradient) < LOST;
    }

    private static double[] settled(String name, double[] values) {
      return IntStream.range(0, values.length)
          .mapToDouble(i -> isOfKeys(name, i, values.length) ? 0 : values[i])
          .toArray();
    }

    private static boolean isOfKeys(String name, int i, int length) {
      return name.endsWith("qkv.bias") && i / (length / 3) == 1;
    }
  }
}
