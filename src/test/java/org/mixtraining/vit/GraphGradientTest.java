package org.mixtraining.vit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.config.ModelConfig.Positions;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.reference.ReferenceViT;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.LearningRate;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Phase;
import org.mixtraining.vit.layers.TokenLayer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** Losses and gradients of whole graphs, by two independent witnesses. */
class GraphGradientTest {

  static Stream<Arguments> graphs() {
    return Stream.of(Pooling.values())
        .flatMap(
            pooling ->
                Stream.of(
                    Arguments.of(Objective.SSL, MixPass.VISIBLE, pooling, true, 1),
                    Arguments.of(Objective.SSL, MixPass.VISIBLE, pooling, false, 3),
                    Arguments.of(Objective.SL, MixPass.VISIBLE, pooling, true, 2),
                    Arguments.of(Objective.JOINT, MixPass.VISIBLE, pooling, true, 2),
                    Arguments.of(Objective.JOINT, MixPass.CORRUPTED, pooling, true, 3),
                    Arguments.of(Objective.JOINT, MixPass.TWO_PASS, pooling, true, 3)));
  }

  @ParameterizedTest
  @MethodSource("graphs")
  void lossAndEveryGradientEqualTheFloat64Reference(
      Objective objective, MixPass pass, Pooling pooling, boolean normPix, int threads) {
    ViT vit = ViTFixtures.small(pooling, normPix);
    MultiDataSet batch = ViTFixtures.batch(vit, objective, 7, new int[] {1, 0, 4, -1, 2, 3, 3});
    backward(
        vit,
        objective,
        pass,
        threads,
        batch,
        graph -> assertEqualsReference(vit, objective, pass, graph, batch));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 9, 33})
  void anyNumberOfImagesEqualsTheReference(int images) {
    ViT vit = ViTFixtures.small();
    Objective joint = Objective.JOINT;
    MixPass pass = MixPass.TWO_PASS;
    MultiDataSet batch = ViTFixtures.batch(vit, joint, images);
    backward(
        vit, joint, pass, 3, batch, graph -> assertEqualsReference(vit, joint, pass, graph, batch));
  }

  /** The graph was configured for another ratio: an epoch's plan brings its own. */
  @ParameterizedTest
  @CsvSource({"VISIBLE, 0", "VISIBLE, 0.4", "CORRUPTED, 0.4", "TWO_PASS, 0.9"})
  void anyMaskRatioEqualsTheReference(MixPass pass, double ratio) {
    ViT vit = ViTFixtures.small();
    Objective joint = Objective.JOINT;
    MultiDataSet batch = ViTFixtures.batch(vit.masking(ratio), joint, 5);
    EpochPlan plan = ViTFixtures.plan(joint, pass, ViTFixtures.ALPHA, ratio, 1e-3);
    backward(vit, plan, 2, batch, graph -> assertEqualsReference(vit, joint, pass, graph, batch));
  }

  /** It is a joint step of the visible pass whose SSL loss has no weight. */
  @ParameterizedTest
  @EnumSource(Pooling.class)
  void anSlStepOnVisiblePatchesEqualsTheReference(Pooling pooling) {
    ViT vit = ViTFixtures.small(pooling, true).masking(0.4);
    MultiDataSet joint = ViTFixtures.batch(vit, Objective.JOINT, 5);
    MultiDataSet batch =
        new org.nd4j.linalg.dataset.MultiDataSet(
            joint.getFeatures(),
            new INDArray[] {joint.getLabels(1)},
            joint.getFeaturesMaskArrays(),
            null);
    LearningRate rate = new LearningRate(1e-3, 1e-3, 0, 1);
    EpochPlan plan =
        new EpochPlan(0, 1, Phase.SL, Objective.SL, EncoderInput.VISIBLE, 0, 0.4, null, rate, 0, 1);

    backward(
        vit,
        plan,
        2,
        batch,
        graph -> {
          Map<String, double[]> weights = ViTFixtures.tensors(graph, TokenLayer::parameter);
          try (Replica whole = ViTFixtures.replica(vit, Objective.JOINT, MixPass.VISIBLE)) {
            ViTFixtures.tensors(whole.graph(), TokenLayer::parameter)
                .forEach(weights::putIfAbsent); // the decoder's, of which nothing depends
          }
          ReferenceViT.Result expected =
              ViTFixtures.reference(vit, Objective.JOINT, EncoderInput.VISIBLE, 0, weights, joint);
          assertThat(graph.score()).isCloseTo(expected.loss(), within(1e-5 * expected.loss()));
          Map<String, double[]> actual = ViTFixtures.tensors(graph, TokenLayer::gradient);
          assertThat(actual.keySet()).contains("head.weight").doesNotContain("pixels.weight");
          assertClose(actual, expected);
        });
  }

  private static void assertClose(Map<String, double[]> actual, ReferenceViT.Result expected) {
    actual.forEach(
        (name, gradient) ->
            assertThat(ViTFixtures.relativeError(gradient, expected.gradients().get(name)))
                .as(name)
                .isLessThan(2e-5));
  }

  private static void assertEqualsReference(
      ViT vit, Objective objective, MixPass pass, ComputationGraph graph, MultiDataSet batch) {
    Map<String, double[]> weights = ViTFixtures.tensors(graph, TokenLayer::parameter);
    ReferenceViT.Result expected =
        ViTFixtures.reference(
            vit, objective, EncoderInput.of(objective, pass), ViTFixtures.ALPHA, weights, batch);
    assertThat(graph.score()).isCloseTo(expected.loss(), within(1e-5 * expected.loss()));
    Map<String, double[]> actual = ViTFixtures.tensors(graph, TokenLayer::gradient);
    assertThat(actual.keySet()).isEqualTo(expected.gradients().keySet());
    assertClose(actual, expected);
  }

  @ParameterizedTest
  @MethodSource("graphs")
  void gradientOfEveryTensorIsTheSlopeOfTheScore(
      Objective objective, MixPass pass, Pooling pooling, boolean normPix, int threads) {
    ViT vit = ViTFixtures.small(pooling, normPix);
    MultiDataSet batch = ViTFixtures.batch(vit, objective, 4);
    backward(vit, objective, pass, threads, batch, graph -> assertSlopes(graph, batch));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void gradientsOfAnyMlpRatioAreTheSlopesOfTheScore(int ratio) {
    ViT vit =
        ViTFixtures.vit(
            12, 3, 3, 12, 2, 3, 20, 1, 2, 5, Pooling.MEAN, 0.75, true, 0, Positions.SIN_COS, ratio);
    MultiDataSet batch = ViTFixtures.batch(vit, Objective.JOINT, 4);
    backward(vit, Objective.JOINT, MixPass.VISIBLE, 2, batch, graph -> assertSlopes(graph, batch));
  }

  /** Disturbed weights hold for positions too: what was learned of each is at its patch. */
  @ParameterizedTest
  @CsvSource({"SL, VISIBLE", "SSL, VISIBLE", "JOINT, VISIBLE", "JOINT, TWO_PASS"})
  void gradientOfLearnedPositionsIsTheSlopeOfTheScore(Objective objective, MixPass pass) {
    ViT vit = ViTFixtures.placed(Pooling.MEAN, Positions.LEARNED);
    MultiDataSet batch = ViTFixtures.batch(vit, objective, 4);
    backward(
        vit,
        objective,
        pass,
        3,
        batch,
        graph -> {
          assertThat(ViTFixtures.tensors(graph, TokenLayer::gradient))
              .hasEntrySatisfying(
                  "patch-embedding.positions",
                  gradient -> assertThat(ViTFixtures.norm(gradient)).isGreaterThan(1e-3));
          assertSlopes(graph, batch);
        });
  }

  private static void assertSlopes(ComputationGraph graph, MultiDataSet batch) {
    Map<String, double[]> gradients = ViTFixtures.tensors(graph, TokenLayer::gradient);
    for (var layer : graph.getLayers()) {
      TokenLayer<?> tokens = (TokenLayer<?>) layer;
      for (Tensor tensor : tokens.layerConf().parameters().tensors()) {
        String name = tokens.layerConf().getLayerName() + "." + tensor.name();
        double[] gradient = gradients.get(name);
        double norm = ViTFixtures.norm(gradient);
        if (norm > 1e-3) { // below, float32 scores cannot show a slope
          double slope = slope(graph, batch, tokens.parameter(tensor.name()), gradient, norm);
          assertThat(slope).as(name).isCloseTo(norm, within(0.02 * norm + 2e-4));
        }
      }
    }
  }

  /** Slope of the score along the unit gradient: two central differences, of fourth order. */
  private static double slope(
      ComputationGraph graph,
      MultiDataSet batch,
      Matrix parameter,
      double[] gradient,
      double norm) {
    double h = 1e-2;
    double wide = difference(graph, batch, parameter, gradient, h / norm) / (2 * h);
    double narrow = difference(graph, batch, parameter, gradient, h / 2 / norm) / h;
    return (4 * narrow - wide) / 3;
  }

  private static double difference(
      ComputationGraph graph, MultiDataSet batch, Matrix parameter, double[] gradient, double by) {
    return ViTFixtures.scoreAt(graph, batch, parameter, gradient, by)
        - ViTFixtures.scoreAt(graph, batch, parameter, gradient, -by);
  }

  private static void backward(
      ViT vit,
      Objective objective,
      MixPass pass,
      int threads,
      MultiDataSet batch,
      Consumer<ComputationGraph> assertion) {
    EpochPlan plan = ViTFixtures.plan(objective, pass, ViTFixtures.alpha(objective), 1e-3);
    backward(vit, plan, threads, batch, assertion);
  }

  /** Runs one forward and backward pass of a graph with disturbed weights. */
  private static void backward(
      ViT vit,
      EpochPlan plan,
      int threads,
      MultiDataSet batch,
      Consumer<ComputationGraph> assertion) {
    ViTFixtures.onThreads(
        threads,
        () -> {
          try (Replica replica = ViTFixtures.replica(vit, plan.objective(), plan.input())) {
            ComputationGraph graph = replica.graph();
            ViTFixtures.disturb(graph);
            replica.plan(plan, 1);
            graph.setInputs(batch.getFeatures());
            graph.setLabels(batch.getLabels());
            graph.setLayerMaskArrays(batch.getFeaturesMaskArrays(), null);
            graph.computeGradientAndScore();
            assertion.accept(graph);
            return graph.score();
          }
        });
  }
}
