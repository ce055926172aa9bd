package org.mixtraining.vit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.layers.TokenLayer;
import org.mixtraining.vit.state.ModelState;

class InitialWeightsTest {

  private static final ViT NANO =
      ViTFixtures.vit(16, 3, 4, 48, 3, 3, 24, 2, 3, 10, Pooling.MEAN, 0.75, true);

  @Test
  void blocksOfOneSeedBeginAlikeInEveryGraph() {
    ModelState ssl = initial(Objective.SSL, MixPass.VISIBLE, 1);
    ModelState sl = initial(Objective.SL, MixPass.VISIBLE, 1);
    ModelState joint = initial(Objective.JOINT, MixPass.VISIBLE, 1);
    ModelState twoPass = initial(Objective.JOINT, MixPass.TWO_PASS, 1);

    assertThat(ssl.block(ModelState.ENCODER)).isEqualTo(sl.block(ModelState.ENCODER));
    assertThat(ssl.with(sl)).isEqualTo(joint);
    assertThat(twoPass).isEqualTo(joint);
  }

  @Test
  void anotherSeedDrawsOtherWeights() {
    ModelState one = initial(Objective.JOINT, MixPass.VISIBLE, 1);
    ModelState other = initial(Objective.JOINT, MixPass.VISIBLE, 2);

    one.blocks()
        .forEach(
            (name, block) ->
                assertThat(block.parameters())
                    .as(name)
                    .isNotEqualTo(other.block(name).parameters()));
  }

  @Test
  void everyTensorBeginsAsItsKindSays() {
    try (Replica replica = replica(Objective.JOINT, MixPass.VISIBLE, 1)) {
      Map<String, double[]> tensors = ViTFixtures.tensors(replica.graph(), TokenLayer::parameter);

      for (var layer : replica.graph().getLayers()) {
        ViTLayer conf = (ViTLayer) layer.conf().getLayer();
        for (Tensor tensor : conf.parameters().tensors()) {
          String name = conf.getLayerName() + "." + tensor.name();
          double[] values = tensors.get(name);
          switch (tensor.init()) {
            case ZERO -> assertThat(values).as(name).containsOnly(0);
            case ONE -> assertThat(values).as(name).containsOnly(1);
            case TOKEN -> assertThat(deviation(values)).as(name).isBetween(0.01, 0.03);
            case XAVIER -> {
              double bound = Math.sqrt(6.0 / (tensor.rows() + tensor.cols()));
              double greatest = DoubleStream.of(values).map(Math::abs).max().orElseThrow();
              assertThat(greatest).as(name).isBetween(0.95 * bound, bound);
              assertThat(deviation(values))
                  .as(name)
                  .isCloseTo(bound / Math.sqrt(3), within(0.1 * bound));
            }
          }
        }
      }
    }
  }

  @Test
  void attentionOfTheEncoderBeginsAsThatOfTrainedModels() {
    ModelSpec spec = ModelSpec.of(NANO, List.of());
    ModelState state = initial(Objective.SSL, MixPass.VISIBLE, 1);

    assertThat(queriesByKeys(spec, state, ViTGraph.encoder(1), 48)).isCloseTo(1, within(0.25));
    assertThat(valuesByProjection(spec, state, ViTGraph.encoder(1), 48)).isLessThan(-5);
    assertThat(queriesByKeys(spec, state, ViTGraph.decoder(1), 24)).isCloseTo(0, within(0.25));
    assertThat(valuesByProjection(spec, state, ViTGraph.decoder(1), 24)).isBetween(-2.0, 2.0);
  }

  /** The diagonal's mean of W_q·W_kᵀ, where that of W_q·W_qᵀ is 1. */
  private static double queriesByKeys(ModelSpec spec, ModelState state, String layer, int dim) {
    float[] qkv = spec.read(state, layer + ".qkv.weight");
    double keys = 0;
    double queries = 0;
    for (int i = 0; i < dim; i++) {
      for (int j = 0; j < dim; j++) {
        keys += qkv[3 * dim * i + j] * qkv[3 * dim * i + dim + j];
        queries += qkv[3 * dim * i + j] * qkv[3 * dim * i + j];
      }
    }
    return keys / queries;
  }

  /** The diagonal's mean of W_v·W_proj, where the deviation off the diagonal is 1. */
  private static double valuesByProjection(
      ModelSpec spec, ModelState state, String layer, int dim) {
    float[] qkv = spec.read(state, layer + ".qkv.weight");
    float[] projection = spec.read(state, layer + ".proj.weight");
    double diagonal = 0;
    double squares = 0;
    for (int i = 0; i < dim; i++) {
      for (int j = 0; j < dim; j++) {
        double product = 0;
        for (int k = 0; k < dim; k++) {
          product += qkv[3 * dim * i + 2 * dim + k] * projection[dim * k + j];
        }
        diagonal += i == j ? product / dim : 0;
        squares += i == j ? 0 : product * product;
      }
    }
    return diagonal / Math.sqrt(squares / dim / (dim - 1));
  }

  @Test
  void noTwoRandomTensorsShareTheirNumbers() {
    try (Replica replica = replica(Objective.JOINT, MixPass.CORRUPTED, 1)) {
      assertThat(
              ViTFixtures.tensors(replica.graph(), TokenLayer::parameter).values().stream()
                  .filter(values -> values[0] != 0 && values[0] != 1)
                  .map(values -> Math.signum(values[0]) + " " + ratios(values)))
          .hasSizeGreaterThan(20)
          .doesNotHaveDuplicates();
    }
  }

  /** Ratios of the first values, which are the same for one stream of numbers at any scale. */
  private static String ratios(double[] values) {
    return Arrays.toString(
        DoubleStream.of(values).limit(5).map(v -> Math.rint(1e4 * v / values[0])).toArray());
  }

  private static double deviation(double[] values) {
    return ViTFixtures.norm(values) / Math.sqrt(values.length);
  }

  private static ModelState initial(Objective objective, MixPass pass, long seed) {
    try (Replica replica = replica(objective, pass, seed)) {
      return replica.state();
    }
  }

  private static Replica replica(Objective objective, MixPass pass, long seed) {
    return new Replica(
        ViTGraph.configuration(
            NANO, objective, EncoderInput.of(objective, pass), ViTFixtures.optimizer(), seed));
  }
}
