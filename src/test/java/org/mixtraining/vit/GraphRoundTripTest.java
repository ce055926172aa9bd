package org.mixtraining.vit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.state.ModelState;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.learning.regularization.Regularization;

/** A graph is a normal Deeplearning4j model: it outlives the process that made it. */
class GraphRoundTripTest {

  private final ViT vit = ViTFixtures.small();

  @ParameterizedTest
  @CsvSource({
    "SSL, VISIBLE",
    "SL, VISIBLE",
    "JOINT, VISIBLE",
    "JOINT, CORRUPTED",
    "JOINT, TWO_PASS"
  })
  void aZipHoldsAllThatOutputsAndTheNextStepsDependOn(
      Objective objective, MixPass pass, @TempDir Path directory) throws IOException {
    MultiDataSet batch = ViTFixtures.batch(vit, objective, 5);
    try (Replica replica = trained(objective, pass, batch)) {
      File zip = directory.resolve("model.zip").toFile();
      ModelSerializer.writeModel(replica.graph(), zip, true);

      try (Replica restored = new Replica(ModelSerializer.restoreComputationGraph(zip, true))) {
        assertThat(restored.state()).isEqualTo(replica.state());
        restored.plan(plan(objective, pass), 10); // an epoch's, and no part of a model
        assertThat(outputs(restored, batch)).isDeepEqualTo(outputs(replica, batch));
        assertThat(ViTFixtures.fit(restored, batch)).isEqualTo(ViTFixtures.fit(replica, batch));
        assertThat(ViTFixtures.fit(restored, batch)).isEqualTo(ViTFixtures.fit(replica, batch));
        assertThat(restored.state()).isEqualTo(replica.state());
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"SSL, VISIBLE", "SL, VISIBLE", "JOINT, CORRUPTED", "JOINT, TWO_PASS"})
  void aConfigurationIsEqualAfterJson(Objective objective, MixPass pass) {
    MultiDataSet batch = ViTFixtures.batch(vit, objective, 5);
    try (Replica replica = trained(objective, pass, batch)) {
      ComputationGraphConfiguration written = replica.graph().getConfiguration();
      ComputationGraphConfiguration read = ComputationGraphConfiguration.fromJson(written.toJson());

      assertThat(read).isEqualTo(written);
      assertThat(read.toJson()).isEqualTo(written.toJson());
    }
  }

  /** Equality of configurations means something only if it sees every field. */
  @Test
  void configurationsThatDifferInAnyFieldAreUnequal() {
    EncoderBlock block = new EncoderBlock("encoder-0", vit, EncoderInput.FULL, 12, 2, 0);
    assertThat(block)
        .isEqualTo(new EncoderBlock("encoder-0", vit, EncoderInput.FULL, 12, 2, 0))
        .hasSameHashCodeAs(new EncoderBlock("encoder-0", vit, EncoderInput.FULL, 12, 2, 0))
        .isNotEqualTo(new EncoderBlock("encoder-1", vit, EncoderInput.FULL, 12, 2, 0))
        .isNotEqualTo(
            new EncoderBlock(
                "encoder-0", ViTFixtures.small(Pooling.CLS, true), EncoderInput.FULL, 12, 2, 0))
        .isNotEqualTo(new EncoderBlock("encoder-0", vit, EncoderInput.BOTH, 12, 2, 0))
        .isNotEqualTo(new EncoderBlock("encoder-0", vit, EncoderInput.FULL, 16, 2, 0))
        .isNotEqualTo(new EncoderBlock("encoder-0", vit, EncoderInput.FULL, 12, 3, 0))
        .isNotEqualTo(new EncoderBlock("encoder-0", vit, EncoderInput.FULL, 12, 2, 0.1));

    ClassHead head = head("head", 5, 1);
    assertThat(head)
        .isEqualTo(head("head", 5, 1))
        .isNotEqualTo(head("head-a", 5, 1))
        .isNotEqualTo(head("head", 6, 1))
        .isNotEqualTo(head("head", 5, 2));

    AdamW adam = new AdamW("head", 1, 0.9, 0.99, new ConstantLearningRate(1));
    assertThat(adam)
        .isEqualTo(adam.clone())
        .isNotEqualTo(new AdamW("encoder", 1, 0.9, 0.99, new ConstantLearningRate(1)))
        .isNotEqualTo(new AdamW("head", 0.5, 0.9, 0.99, new ConstantLearningRate(1)))
        .isNotEqualTo(new AdamW("head", 1, 0.8, 0.99, new ConstantLearningRate(1)))
        .isNotEqualTo(new AdamW("head", 1, 0.9, 0.98, new ConstantLearningRate(1)))
        .isNotEqualTo(new AdamW("head", 1, 0.9, 0.99, new ConstantLearningRate(2)));
  }

  private ClassHead head(String name, int classes, double weight) {
    return new ClassHead(new Head(name, classes, weight), vit, EncoderInput.FULL);
  }

  @Test
  void everyLayerDecaysItsWeightsOnceAndItsVectorsNever() {
    ComputationGraphConfiguration built =
        ViTGraph.configuration(
            vit, Objective.JOINT, EncoderInput.VISIBLE, ViTFixtures.optimizer(), ViTFixtures.SEED);
    ComputationGraphConfiguration read = ComputationGraphConfiguration.fromJson(built.toJson());
    try (Replica replica = new Replica(read)) {
      for (ComputationGraphConfiguration configuration :
          List.of(built, read, replica.graph().getConfiguration())) {
        assertThat(configuration.getVertices().values())
            .hasSize(8)
            .allSatisfy(vertex -> assertDecaysOnce((LayerVertex) vertex));
      }
    }
  }

  private static void assertDecaysOnce(LayerVertex vertex) {
    ViTLayer layer = (ViTLayer) vertex.getLayerConf().getLayer();
    Regularization decay = new DecoupledWeightDecay(ViTFixtures.optimizer().weightDecay());
    assertThat(layer.getRegularization()).containsExactly(decay);
    assertThat(layer.getRegularizationByParam("W"))
        .singleElement()
        .isInstanceOf(DecoupledWeightDecay.class);
    assertThat(layer.getRegularizationByParam("b")).isEmpty();
    assertThat(layer.getRegularizationBias()).isNullOrEmpty();
  }

  /** A graph with a state, a plan and two steps of its own behind it. */
  private Replica trained(Objective objective, MixPass pass, MultiDataSet batch) {
    Replica replica = ViTFixtures.replica(vit, objective, pass);
    ModelState state = replica.state();
    var later = new HashMap<String, ModelState.Block>();
    state
        .blocks()
        .forEach(
            (name, block) ->
                later.put(
                    name,
                    new ModelState.Block(block.parameters(), block.m(), block.v(), name.length())));
    replica.load(new ModelState(later));
    replica.plan(plan(objective, pass), 10);
    ViTFixtures.fit(replica, batch);
    ViTFixtures.fit(replica, batch);
    return replica;
  }

  private static EpochPlan plan(Objective objective, MixPass pass) {
    return ViTFixtures.plan(objective, pass, 0.3, 1e-3);
  }

  private static float[][] outputs(Replica replica, MultiDataSet batch) {
    ComputationGraph graph = replica.graph();
    INDArray[] outputs = graph.output(false, batch.getFeatures(), batch.getFeaturesMaskArrays());
    return Stream.of(outputs)
        .map(output -> output.dup('c').data().asFloat())
        .toArray(float[][]::new);
  }
}
