package org.mixtraining.vit.layers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.config.ModelConfig.Positions;
import org.mixtraining.reference.ReferenceViT;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTFixtures;
import org.mixtraining.vit.state.ModelState;
import org.nd4j.linalg.dataset.api.MultiDataSet;

class StochasticDepthTest {

  private static final int IMAGES = 9;
  private static final double RATE = 0.4;

  /** Two blocks with rates 0 and 0.4. */
  private final ViT vit =
      ViTFixtures.vit(
          12, 3, 3, 12, 2, 3, 20, 1, 2, 5, Pooling.MEAN, 0.75, true, RATE, Positions.SIN_COS, null);

  private static long[] ids(int images) {
    return LongStream.range(0, images).toArray();
  }

  @Test
  void ratesGrowLinearlyFromZero() {
    ViT deep =
        ViTFixtures.vit(
            12,
            3,
            3,
            12,
            5,
            3,
            20,
            1,
            2,
            5,
            Pooling.MEAN,
            0.75,
            true,
            RATE,
            Positions.SIN_COS,
            null);

    assertThat(StochasticDepth.rate(deep.architecture(), Objective.SL, 0)).isZero();
    assertThat(StochasticDepth.rate(deep.architecture(), Objective.SL, 2))
        .isCloseTo(0.2, within(1e-12));
    assertThat(StochasticDepth.rate(deep.architecture(), Objective.SL, 4))
        .isCloseTo(RATE, within(1e-12));
  }

  @Test
  void branchesAreLeftOutWithTheirRateAndElseCountTheMore() {
    float[][] factors = StochasticDepth.factors(1, 0, ids(20_000), "encoder-1", 0.4);
    for (int branch = 0; branch < 2; branch++) {
      int out = 0;
      for (float[] image : factors) {
        assertThat(image[branch]).isIn(0f, (float) (1 / 0.6));
        out += image[branch] == 0 ? 1 : 0;
      }
      assertThat(out).isBetween(7_700, 8_300);
    }
    long both = List.of(factors).stream().filter(f -> f[0] == 0 && f[1] == 0).count();
    assertThat(both).as("independently").isBetween(2_950L, 3_450L);
  }

  @Test
  void whatIsLeftOutDependsOnSeedEpochImageAndBlock() {
    float[][] factors = StochasticDepth.factors(1, 2, ids(50), "encoder-1", 0.5);

    assertThat(StochasticDepth.factors(1, 2, ids(50), "encoder-1", 0.5)).isDeepEqualTo(factors);
    assertThat(StochasticDepth.factors(1, 2, new long[] {7}, "encoder-1", 0.5)[0])
        .isEqualTo(factors[7]);
    assertThat(factors)
        .isNotEqualTo(StochasticDepth.factors(2, 2, ids(50), "encoder-1", 0.5))
        .isNotEqualTo(StochasticDepth.factors(1, 3, ids(50), "encoder-1", 0.5))
        .isNotEqualTo(StochasticDepth.factors(1, 2, ids(50), "encoder-2", 0.5));
  }

  private MultiDataSet batch(Objective objective) {
    return ViTFixtures.batch(vit, objective, IMAGES, 0);
  }

  @ParameterizedTest
  @CsvSource({"SL, VISIBLE, 1", "JOINT, VISIBLE, 2", "JOINT, CORRUPTED, 1", "JOINT, TWO_PASS, 3"})
  void lossAndGradientsEqualTheFloat64Reference(Objective objective, MixPass pass, int threads) {
    MultiDataSet batch = batch(objective);
    ViTFixtures.onThreads(
        threads,
        () -> {
          try (Replica replica = prepared(objective, pass, batch)) {
            ComputationGraph graph = replica.graph();
            graph.computeGradientAndScore();

            ReferenceViT.Result expected = reference(objective, pass, graph, batch);
            assertThat(graph.score()).isCloseTo(expected.loss(), within(1e-5 * expected.loss()));
            ViTFixtures.tensors(graph, TokenLayer::gradient)
                .forEach(
                    (name, gradient) ->
                        assertThat(
                                ViTFixtures.relativeError(gradient, expected.gradients().get(name)))
                            .as(name)
                            .isLessThan(2e-5));
            return null;
          }
        });
  }

  private ReferenceViT.Result reference(
      Objective objective, MixPass pass, ComputationGraph graph, MultiDataSet batch) {
    Map<String, double[]> weights = ViTFixtures.tensors(graph, TokenLayer::parameter);
    float[][] drawn = StochasticDepth.factors(ViTFixtures.SEED, 0, ids(IMAGES), "encoder-1", RATE);
    double[][][] branches = new double[IMAGES][][];
    for (int i = 0; i < IMAGES; i++) {
      branches[i] = new double[][] {{1, 1}, {drawn[i][0], drawn[i][1]}};
    }
    double[][] images = ViTFixtures.rows(batch.getFeatures(0));
    return objective == Objective.SL
        ? ReferenceViT.sl(
            ViTFixtures.dimensions(vit),
            weights,
            images,
            ViTFixtures.rows(batch.getLabels(0)),
            branches)
        : ReferenceViT.joint(
            ViTFixtures.dimensions(vit),
            weights,
            images,
            ViTFixtures.visible(batch.getFeaturesMaskArray(0)),
            ViTFixtures.rows(batch.getLabels(1)),
            ViTFixtures.ALPHA,
            pass,
            branches);
  }

  /** A graph with disturbed weights that is about to take a step on the minibatch. */
  private Replica prepared(Objective objective, MixPass pass, MultiDataSet batch) {
    Replica replica = ViTFixtures.replica(vit, objective, pass);
    ComputationGraph graph = replica.graph();
    ViTFixtures.disturb(graph);
    replica.plan(ViTFixtures.plan(objective, pass, ViTFixtures.alpha(objective), 1e-3), 1);
    replica.prepare(vit.served().imageSize(), ModelState.HEAD, ids(IMAGES));
    graph.setInputs(batch.getFeatures());
    graph.setLabels(batch.getLabels());
    graph.setLayerMaskArrays(batch.getFeaturesMaskArrays(), null);
    return replica;
  }

  @Test
  void aGradientIsTheSlopeOfTheScore() {
    MultiDataSet batch = batch(Objective.SL);
    try (Replica replica = prepared(Objective.SL, MixPass.VISIBLE, batch)) {
      ComputationGraph graph = replica.graph();
      graph.computeGradientAndScore();
      TokenLayer<?> block = (TokenLayer<?>) graph.getLayer("encoder-1");
      for (String name : List.of("proj.weight", "fc2.weight", "fc2.bias", "norm1.gain")) {
        double[] gradient = ViTFixtures.doubles(block.gradient(name));
        double norm = ViTFixtures.norm(gradient);
        double up = ViTFixtures.scoreAt(graph, batch, block.parameter(name), gradient, 1e-2 / norm);
        double down =
            ViTFixtures.scoreAt(graph, batch, block.parameter(name), gradient, -1e-2 / norm);
        assertThat((up - down) / 2e-2).as(name).isCloseTo(norm, within(0.02 * norm + 2e-4));
      }
    }
  }

  @Test
  void sslAndInferenceLeaveNothingOut() {
    ViT whole = ViTFixtures.small();
    try (Replica dropping = ViTFixtures.replica(vit, Objective.SSL, MixPass.VISIBLE);
        Replica plain = ViTFixtures.replica(whole, Objective.SSL, MixPass.VISIBLE)) {
      MultiDataSet batch = batch(Objective.SSL);
      assertThat(dropping.fit(batch, ModelState.HEAD, ids(IMAGES)))
          .isEqualTo(plain.fit(batch, ModelState.HEAD, ids(IMAGES)));
    }
    float[] pixels = ViTFixtures.pixels(vit, 3);
    try (Replica dropping = ViTFixtures.replica(vit, Objective.SL, MixPass.VISIBLE);
        Replica plain = ViTFixtures.replica(whole, Objective.SL, MixPass.VISIBLE)) {
      assertThat(dropping.predict(pixels, 3)).isEqualTo(plain.predict(pixels, 3));
    }
  }

  @Test
  void aStepOnImagesThatNobodyNamedIsRefused() {
    MultiDataSet batch = ViTFixtures.batch(vit, Objective.SL, 3);
    try (Replica replica = ViTFixtures.replica(vit, Objective.SL, MixPass.VISIBLE)) {
      assertThatThrownBy(() -> replica.graph().fit(batch))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage(
              "stochastic depth must know the images of a training step: take it by Replica.fit");
    }
  }
}
