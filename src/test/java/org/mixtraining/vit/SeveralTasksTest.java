package org.mixtraining.vit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
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
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.layers.TokenLayer;
import org.mixtraining.vit.state.ModelState;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** One encoder, two tasks: 12-pixel images of 5 classes, and 9-pixel images of 3. */
class SeveralTasksTest {

  private static final double RATE = 2e-3;
  private static final List<Head> HEADS =
      List.of(new Head("head-large", 5, 1), new Head("head-small", 3, 0.5));

  private final List<ViT> models =
      List.of(ViTFixtures.small(), ViTFixtures.small().serving(new Served(9, 3, 0.75)));

  private Replica replica(Objective objective, MixPass pass) {
    return new Replica(
        ViTGraph.configuration(
            models.get(0),
            HEADS,
            objective,
            EncoderInput.of(objective, pass),
            ViTFixtures.optimizer(),
            ViTFixtures.SEED));
  }

  private StepResult fit(Replica replica, Objective objective, int task, int step) {
    MultiDataSet batch = ViTFixtures.batch(models.get(task), objective, 5, step);
    return replica.fit(batch, HEADS.get(task).name(), new long[0]);
  }

  @ParameterizedTest
  @CsvSource({
    "SSL, VISIBLE, 1",
    "SL, VISIBLE, 1",
    "JOINT, VISIBLE, 1",
    "JOINT, CORRUPTED, 1",
    "JOINT, TWO_PASS, 1",
    "SL, VISIBLE, 2",
    "JOINT, VISIBLE, 3"
  })
  void stepsOnTasksInTurnEqualTheReference(Objective objective, MixPass pass, int parts) {
    int[] turns = {0, 1, 1, 0, 1};
    EpochPlan plan =
        ViTFixtures.inParts(
            parts, ViTFixtures.plan(objective, pass, ViTFixtures.alpha(objective), RATE));
    try (Replica replica = replica(objective, pass)) {
      ViTFixtures.disturb(replica.graph());
      Map<String, Slot> slots = new LinkedHashMap<>();
      ViTFixtures.tensors(replica.graph(), TokenLayer::parameter)
          .forEach((name, values) -> slots.put(name, Slot.fresh(values)));

      replica.plan(plan, turns.length);
      for (int step = 0; step < turns.length; step++) {
        StepResult result = fit(replica, objective, turns[step], step);

        Gradients expected = gradients(plan, turns[step], slots, step);
        assertThat(result.loss()).isCloseTo(expected.loss, within(1e-5));
        slots.putAll(adam(objective).step(slots, expected.byName));
      }

      ViTFixtures.tensors(replica.graph(), TokenLayer::parameter)
          .forEach(
              (name, values) -> {
                if (!name.endsWith("qkv.bias")) { // whose gradient is 0 in part
                  assertThat(values)
                      .as(name)
                      .containsExactly(slots.get(name).weights(), within(2e-5));
                }
              });
      replica
          .state()
          .blocks()
          .forEach((name, block) -> assertThat(block.steps()).as(name).isEqualTo(steps(name)));
    }
  }

  private static long steps(String block) {
    return switch (block) {
      case "head-large" -> 2;
      case "head-small" -> 3;
      default -> 5;
    };
  }

  private static AdamWReference adam(Objective objective) {
    OptimizerConfig o = ViTFixtures.optimizer();
    OptimizerConfig.Betas betas = objective == Objective.SSL ? o.sslBetas() : o.slBetas();
    return new AdamWReference(RATE, betas.first(), betas.second(), 1e-8, o.weightDecay());
  }

  private record Gradients(double loss, Map<String, double[]> byName) {}

  /** Of α · ssl + (1 − α) · weight · sl, with the task's head by the reference's name for it. */
  private Gradients gradients(EpochPlan plan, int task, Map<String, Slot> slots, int step) {
    Head head = HEADS.get(task);
    Map<String, double[]> weights = new LinkedHashMap<>();
    slots.forEach(
        (name, slot) -> weights.put(name.replace(head.name() + ".", "head."), slot.weights()));
    double ssl = plan.alpha();
    double sl = (1 - plan.alpha()) * head.weight();
    ReferenceViT.Result result =
        ViTFixtures.reference(
            models.get(task),
            plan.objective(),
            plan.input(),
            ssl / (ssl + sl),
            weights,
            ViTFixtures.batch(models.get(task), plan.objective(), 5, step));
    Map<String, double[]> gradients = new LinkedHashMap<>();
    result
        .gradients()
        .forEach(
            (name, gradient) ->
                gradients.put(
                    name.replaceFirst("^head\\.", head.name() + "."),
                    DoubleStream.of(gradient).map(g -> (ssl + sl) * g).toArray()));
    return new Gradients((ssl + sl) * result.loss(), gradients);
  }

  @Test
  void aStepLeavesTheHeadsOfOtherTasksAsTheyAre() {
    try (Replica replica = replica(Objective.SL, MixPass.VISIBLE)) {
      replica.plan(ViTFixtures.plan(Objective.SL, MixPass.VISIBLE, 0, RATE), 3);
      fit(replica, Objective.SL, 0, 0);
      fit(replica, Objective.SL, 1, 1);
      ModelState before = replica.state();

      fit(replica, Objective.SL, 0, 2);

      assertThat(replica.state().block("head-small")).isEqualTo(before.block("head-small"));
      assertThat(replica.state().block("head-large")).isNotEqualTo(before.block("head-large"));
    }
  }

  @Test
  void headsPredictImagesOfTheirOwnSizeInTheirOwnClasses() {
    try (Replica replica = replica(Objective.SL, MixPass.VISIBLE)) {
      float[] large = ViTFixtures.pixels(models.get(0), 2);
      float[] small = ViTFixtures.pixels(models.get(1), 2);

      float[] first = replica.predict("head-large", large, 2, 12);
      assertThat(first).hasSize(10);
      assertThat(replica.predict("head-small", small, 2, 9)).hasSize(6);
      assertThat(replica.predict("head-large", large, 2, 12)).isEqualTo(first);
    }
  }

  @Test
  void headsOfOneNameBeginAlikeWhateverTheOthers() {
    ViT vit = models.get(0);
    List<Head> alone = List.of(HEADS.get(1));
    try (Replica both = replica(Objective.JOINT, MixPass.VISIBLE);
        Replica one =
            new Replica(
                ViTGraph.configuration(
                    vit,
                    alone,
                    Objective.SL,
                    EncoderInput.FULL,
                    ViTFixtures.optimizer(),
                    ViTFixtures.SEED))) {
      assertThat(both.state().block("head-small")).isEqualTo(one.state().block("head-small"));
      assertThat(both.state().block("encoder")).isEqualTo(one.state().block("encoder"));
    }
  }
}
