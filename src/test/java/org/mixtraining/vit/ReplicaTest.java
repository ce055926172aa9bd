package org.mixtraining.vit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.state.ModelState;

/** What goes from a state into a graph and back. */
class ReplicaTest {

  private final ViT vit = ViTFixtures.small();

  @ParameterizedTest
  @CsvSource({"SSL, VISIBLE", "SL, VISIBLE", "JOINT, VISIBLE", "JOINT, TWO_PASS"})
  void aStateIsHandedBackAsItWasLoaded(Objective objective, MixPass pass) {
    try (Replica replica = ViTFixtures.replica(vit, objective, pass)) {
      ModelState state = random(replica.state());

      replica.load(state);

      assertThat(replica.state()).isEqualTo(state);
    }
  }

  @Test
  void blocksAreThoseOfTheObjective() {
    assertThat(blocks(Objective.SSL)).containsExactly("decoder", "encoder");
    assertThat(blocks(Objective.SL)).containsExactly("encoder", "head");
    assertThat(blocks(Objective.JOINT)).containsExactly("decoder", "encoder", "head");
  }

  private List<String> blocks(Objective objective) {
    try (Replica replica = ViTFixtures.replica(vit, objective, MixPass.VISIBLE)) {
      return List.copyOf(replica.state().blocks().keySet());
    }
  }

  @Test
  void trainingLeavesTheLoadedStateAlone() {
    try (Replica replica = ViTFixtures.replica(vit, Objective.SL, MixPass.VISIBLE)) {
      ModelState state = random(replica.state());
      String before = state.sha256();
      replica.load(state);
      replica.plan(ViTFixtures.plan(Objective.SL, MixPass.VISIBLE, 0, 1e-2), 1);
      ViTFixtures.fit(replica, ViTFixtures.batch(vit, Objective.SL, 3));

      assertThat(state.sha256()).isEqualTo(before);
      assertThat(state).isEqualTo(random(replica.state()));
      assertThat(replica.state().sha256()).isNotEqualTo(before);
    }
  }

  @Test
  void theEncoderGoesFromOneObjectiveToTheNextAndBack() {
    try (Replica ssl = ViTFixtures.replica(vit, Objective.SSL, MixPass.VISIBLE);
        Replica joint = ViTFixtures.replica(vit, Objective.JOINT, MixPass.TWO_PASS);
        Replica sl = ViTFixtures.replica(vit, Objective.SL, MixPass.VISIBLE)) {
      ModelState state = ssl.state().with(sl.state());
      state = state.with(epoch(ssl, state, Objective.SSL));
      state = state.with(epoch(joint, state, Objective.JOINT));
      ModelState.Block decoder = state.block(ModelState.DECODER);
      sl.load(state);
      assertThat(sl.state().block(ModelState.ENCODER)).isEqualTo(state.block(ModelState.ENCODER));
      state = state.with(epoch(sl, state, Objective.SL));
      ssl.load(state);

      assertThat(ssl.state().block(ModelState.ENCODER)).isEqualTo(state.block(ModelState.ENCODER));
      assertThat(state.block(ModelState.DECODER)).isSameAs(decoder);
      assertThat(state.blocks().values())
          .extracting(ModelState.Block::steps)
          .containsExactly(4L, 6L, 4L); // decoder, encoder, head
    }
  }

  private ModelState epoch(Replica replica, ModelState state, Objective objective) {
    replica.load(state);
    replica.plan(ViTFixtures.plan(objective, MixPass.TWO_PASS, 0.5, 1e-3), 2);
    ViTFixtures.fit(replica, ViTFixtures.batch(vit, objective, 3, 1));
    ViTFixtures.fit(replica, ViTFixtures.batch(vit, objective, 3, 2));
    return replica.state();
  }

  /** What makes a retried task, and a resumed run, give the same bits. */
  @Test
  void whatAReplicaDidBeforeALoadLeavesNoTrace() {
    try (Replica used = ViTFixtures.replica(vit, Objective.JOINT, MixPass.VISIBLE);
        Replica fresh = ViTFixtures.replica(vit, Objective.JOINT, MixPass.VISIBLE)) {
      ModelState state = random(used.state());
      used.plan(ViTFixtures.plan(Objective.JOINT, MixPass.VISIBLE, 0.9, 1e-1), 3);
      for (int step = 0; step < 3; step++) {
        ViTFixtures.fit(used, ViTFixtures.batch(vit, Objective.JOINT, 7 - step, step));
      }

      assertThat(epoch(used, state, Objective.JOINT))
          .isEqualTo(epoch(fresh, state, Objective.JOINT));
    }
  }

  /** As SparkComputationGraph does to every graph that it is given. */
  @Test
  void aGraphThatIsInitialisedAgainKeepsItsMoments() {
    try (Replica replica = ViTFixtures.replica(vit, Objective.JOINT, MixPass.VISIBLE)) {
      ModelState state = random(replica.state());
      replica.load(state);
      replica.graph().init();

      assertThat(replica.state()).isEqualTo(state);
    }
  }

  @Test
  void replicasOfOneConfigurationAreIndependent() {
    ComputationGraphConfiguration configuration =
        ViTGraph.configuration(vit, Objective.SL, EncoderInput.FULL, ViTFixtures.optimizer(), 1);
    String before = configuration.toJson();
    try (Replica one = new Replica(configuration);
        Replica other = new Replica(configuration)) {
      ModelState start = other.state();
      epoch(one, random(one.state()), Objective.SL);

      assertThat(other.state()).isEqualTo(start);
      assertThat(configuration.toJson()).isEqualTo(before);
    }
  }

  /** But for the graph's own count of steps. */
  @Test
  void trainingChangesNoConfiguration() {
    try (Replica replica = ViTFixtures.replica(vit, Objective.JOINT, MixPass.VISIBLE)) {
      String before = replica.graph().getConfiguration().toJson();
      epoch(replica, random(replica.state()), Objective.JOINT);
      replica.graph().getConfiguration().setIterationCount(0);

      assertThat(replica.graph().getConfiguration().toJson()).isEqualTo(before);
    }
  }

  @Test
  void inferenceNeedsParametersOnly() {
    try (Replica trained = ViTFixtures.replica(vit, Objective.SL, MixPass.VISIBLE);
        Replica loaded = ViTFixtures.replica(vit, Objective.SL, MixPass.VISIBLE)) {
      ViTFixtures.disturb(trained.graph());
      float[] pixels = ViTFixtures.pixels(vit, 9);
      float[] probabilities = trained.predict(pixels, 9);
      loaded.loadParameters(trained.state().withoutMoments());

      assertThat(loaded.predict(pixels, 9))
          .isEqualTo(probabilities)
          .hasSize(9 * vit.served().classes());
      for (int i = 0; i < 9; i++) {
        double sum = 0;
        for (int c = 0; c < vit.served().classes(); c++) {
          sum += probabilities[i * vit.served().classes() + c];
        }
        assertThat(sum).isCloseTo(1, within(1e-6));
      }
    }
  }

  /** So the size of the evaluation's minibatches is a matter of speed. */
  @Test
  void aPredictionDependsOnItsImageOnly() {
    try (Replica replica = ViTFixtures.replica(vit, Objective.SL, MixPass.VISIBLE)) {
      ViTFixtures.disturb(replica.graph());
      float[] pixels = ViTFixtures.pixels(vit, 33);
      float[] all = replica.predict(pixels, 33);
      int values = pixels.length / 33;
      for (int image : new int[] {0, 16, 32}) {
        float[] one = Arrays.copyOfRange(pixels, image * values, (image + 1) * values);
        float[] alone = replica.predict(one, 1);
        for (int c = 0; c < vit.served().classes(); c++) {
          assertThat(alone[c]).isCloseTo(all[image * vit.served().classes() + c], within(1e-6f));
        }
      }
    }
  }

  /** As Deeplearning4j's transfer learning does. */
  @Test
  void parametersOfALayerMoveToAnotherUnscrambled() {
    try (Replica one = ViTFixtures.replica(vit, Objective.SL, MixPass.VISIBLE);
        Replica other = ViTFixtures.replica(vit, Objective.SL, MixPass.VISIBLE)) {
      ViTFixtures.disturb(one.graph());
      for (int i = 0; i < one.graph().getNumLayers(); i++) {
        other.graph().getLayer(i).setParams(one.graph().getLayer(i).params());
      }

      assertThat(other.state()).isEqualTo(one.state());
    }
  }

  @Test
  void aStateWithoutItsBlocksNamesTheMissingOne() {
    try (Replica ssl = ViTFixtures.replica(vit, Objective.SSL, MixPass.VISIBLE);
        Replica sl = ViTFixtures.replica(vit, Objective.SL, MixPass.VISIBLE)) {
      assertThatThrownBy(() -> sl.load(ssl.state()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("no block head in [decoder, encoder]");
    }
  }

  /** Random blocks of the same names and sizes. */
  private static ModelState random(ModelState like) {
    SplittableRandom random = new SplittableRandom(3);
    Map<String, ModelState.Block> blocks = new HashMap<>();
    like.blocks()
        .forEach(
            (name, block) -> {
              int n = block.parameters().length;
              blocks.put(
                  name,
                  new ModelState.Block(
                      values(random, n, -0.2), values(random, n, -1), values(random, n, 0), n));
            });
    return new ModelState(blocks);
  }

  private static float[] values(SplittableRandom random, int n, double least) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) (least + 0.4 * random.nextDouble());
    }
    return values;
  }
}
