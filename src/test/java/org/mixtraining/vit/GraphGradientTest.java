package org.mixtraining.vit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Map;
import java.util.stream.Stream;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.mixtraining.config.JobConfig.MixPass;
import org.mixtraining.config.JobConfig.Pooling;
import org.mixtraining.kernels.Engine;
import org.mixtraining.kernels.Mat;
import org.mixtraining.reference.ReferenceViT;
import org.mixtraining.schedule.Objective;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** Losses and gradients of whole graphs, by two independent witnesses. */
class GraphGradientTest {

  private static final double ALPHA = 0.3;

  static Stream<Arguments> graphs() {
    return Stream.of(Pooling.values())
        .flatMap(
            pooling ->
                Stream.of(
                    Arguments.of(Objective.SSL, MixPass.VISIBLE, pooling, true, 1),
                    Arguments.of(Objective.SSL, MixPass.VISIBLE, pooling, false, 3),
                    Arguments.of(Objective.SL, MixPass.VISIBLE, pooling, true, 2),
                    Arguments.of(Objective.JOINT, MixPass.VISIBLE, pooling, true, 2),
                    Arguments.of(Objective.JOINT, MixPass.TWO_PASS, pooling, true, 3)));
  }

  @ParameterizedTest
  @MethodSource("graphs")
  void lossAndEveryGradientEqualTheFloat64Reference(
      Objective objective, MixPass pass, Pooling pooling, boolean normPix, int threads) {
    ViT vit = Samples.small(pooling, normPix);
    MultiDataSet batch = Samples.batch(vit, objective, 7, new int[] {1, 0, 4, -1, 2, 3, 3});
    try (Compute compute = new Compute(Engine.cpu(threads));
        Compute.Scope scope = compute.use();
        Replica replica = Samples.replica(vit, objective, pass)) {
      ComputationGraph graph = replica.graph();
      Samples.disturb(graph);
      replica.plan(Samples.plan(objective, pass, alpha(objective), 1e-3), 1);
      backward(graph, batch);

      ReferenceViT.Result expected = reference(vit, objective, pass, graph, batch);
      assertThat(graph.score()).isCloseTo(expected.loss(), within(1e-5 * expected.loss()));
      Map<String, double[]> actual = Samples.tensors(graph, TokenLayer::gradient);
      assertThat(actual.keySet()).isEqualTo(expected.gradients().keySet());
      actual.forEach(
          (name, gradient) ->
              assertThat(relativeError(gradient, expected.gradients().get(name)))
                  .as(name)
                  .isLessThan(2e-5));
    }
  }

  @ParameterizedTest
  @MethodSource("graphs")
  void gradientOfEveryTensorIsTheSlopeOfTheScore(
      Objective objective, MixPass pass, Pooling pooling, boolean normPix, int threads) {
    ViT vit = Samples.small(pooling, normPix);
    MultiDataSet batch = Samples.batch(vit, objective, 4);
    try (Compute compute = new Compute(Engine.cpu(threads));
        Compute.Scope scope = compute.use();
        Replica replica = Samples.replica(vit, objective, pass)) {
      ComputationGraph graph = replica.graph();
      Samples.disturb(graph);
      replica.plan(Samples.plan(objective, pass, alpha(objective), 1e-3), 1);
      backward(graph, batch);
      Map<String, double[]> gradients = Samples.tensors(graph, TokenLayer::gradient);

      for (var layer : graph.getLayers()) {
        TokenLayer<?> tokens = (TokenLayer<?>) layer;
        for (Tensor tensor : tokens.layerConf().tensors()) {
          String name = tokens.layerConf().getLayerName() + "." + tensor.name();
          double[] gradient = gradients.get(name);
          double norm = norm(gradient);
          if (norm > 1e-3) { // below, float32 scores cannot show a slope
            double slope = slope(graph, batch, tokens.parameter(tensor.name()), gradient, norm);
            assertThat(slope).as(name).isCloseTo(norm, within(0.02 * norm + 2e-4));
          }
        }
      }
    }
  }

  /** Central difference of the score along the unit gradient. */
  private static double slope(
      ComputationGraph graph, MultiDataSet batch, Mat parameter, double[] gradient, double norm) {
    double h = 1e-2;
    double up = scoreAt(graph, batch, parameter, gradient, h / norm);
    double down = scoreAt(graph, batch, parameter, gradient, -h / norm);
    return (up - down) / (2 * h);
  }

  private static double scoreAt(
      ComputationGraph graph, MultiDataSet batch, Mat parameter, double[] gradient, double step) {
    float[] before = new float[gradient.length];
    parameter.read(before, 0);
    float[] moved = before.clone();
    for (int i = 0; i < moved.length; i++) {
      moved[i] += (float) (step * gradient[i]);
    }
    parameter.write(moved, 0);
    double score = graph.score(batch, true);
    parameter.write(before, 0);
    return score;
  }

  private static double alpha(Objective objective) {
    return switch (objective) {
      case SSL -> 1;
      case SL -> 0;
      case JOINT -> ALPHA;
    };
  }

  private static void backward(ComputationGraph graph, MultiDataSet batch) {
    graph.setInputs(batch.getFeatures());
    graph.setLabels(batch.getLabels());
    graph.setLayerMaskArrays(batch.getFeaturesMaskArrays(), null);
    graph.computeGradientAndScore();
  }

  private static ReferenceViT.Result reference(
      ViT vit, Objective objective, MixPass pass, ComputationGraph graph, MultiDataSet batch) {
    var d = Samples.dimensions(vit);
    var weights = Samples.tensors(graph, TokenLayer::parameter);
    double[][] images = Samples.rows(batch.getFeatures(0));
    return switch (objective) {
      case SSL ->
          ReferenceViT.ssl(d, weights, images, Samples.visible(batch.getFeaturesMaskArray(0)));
      case SL -> ReferenceViT.sl(d, weights, images, Samples.rows(batch.getLabels(0)));
      case JOINT ->
          ReferenceViT.joint(
              d,
              weights,
              images,
              Samples.visible(batch.getFeaturesMaskArray(0)),
              Samples.rows(batch.getLabels(1)),
              ALPHA,
              pass);
    };
  }

  private static double relativeError(double[] actual, double[] expected) {
    double[] difference = new double[expected.length];
    for (int i = 0; i < difference.length; i++) {
      difference[i] = actual[i] - expected[i];
    }
    return norm(difference) / Math.max(1e-4, norm(expected));
  }

  private static double norm(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value * value;
    }
    return Math.sqrt(sum);
  }
}
