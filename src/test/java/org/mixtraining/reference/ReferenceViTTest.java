package org.mixtraining.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.reference.ReferenceViT.Dimensions;
import org.mixtraining.reference.ReferenceViT.Result;

class ReferenceViTTest {

  private static final Offset<Double> EXACT = within(1e-13);
  private static final Dimensions CLS = new Dimensions(8, 3, 4, 8, 2, 2, 8, 1, 2, 3, false, true);
  private static final Dimensions MEAN = new Dimensions(8, 3, 4, 8, 2, 2, 8, 1, 2, 3, true, false);
  private static final boolean[][] VISIBLE = {
    {false, true, false, true}, {true, false, false, false}
  };
  private static final double[][] TARGETS = {{0, 1, 0}, {0.2, 0.1, 0.7}};

  private final double[][] images = Formula.images(CLS, 2);

  @Test
  void gradientsOfSslAreThoseOfFiniteDifferences() {
    differentiate(CLS, w -> ReferenceViT.ssl(CLS, w, images, VISIBLE));
    differentiate(MEAN, w -> ReferenceViT.ssl(MEAN, w, images, VISIBLE));
  }

  @Test
  void gradientsOfSlAreThoseOfFiniteDifferences() {
    differentiate(CLS, w -> ReferenceViT.sl(CLS, w, images, TARGETS));
    differentiate(MEAN, w -> ReferenceViT.sl(MEAN, w, images, TARGETS));
  }

  @Test
  void gradientsOfJointOnTheVisiblePassAreThoseOfFiniteDifferences() {
    differentiate(CLS, w -> joint(CLS, w, 0.3, MixPass.VISIBLE));
    differentiate(MEAN, w -> joint(MEAN, w, 0.3, MixPass.VISIBLE));
  }

  @Test
  void gradientsOfJointInTwoPassesAreThoseOfFiniteDifferences() {
    differentiate(CLS, w -> joint(CLS, w, 0.3, MixPass.TWO_PASS));
    differentiate(MEAN, w -> joint(MEAN, w, 0.3, MixPass.TWO_PASS));
  }

  @Test
  void gradientsOfJointOnTheCorruptedPassAreThoseOfFiniteDifferences() {
    differentiate(CLS, w -> joint(CLS, w, 0.3, MixPass.CORRUPTED));
    differentiate(MEAN, w -> joint(MEAN, w, 0.3, MixPass.CORRUPTED));
  }

  @Test
  void gradientsUnderStochasticDepthAreThoseOfFiniteDifferences() {
    double[][][] branches = {{{1, 0}, {0, 2}}, {{1.25, 1}, {1, 0}}};
    differentiate(CLS, w -> ReferenceViT.sl(CLS, w, images, TARGETS, branches));
    differentiate(
        MEAN,
        w -> ReferenceViT.joint(MEAN, w, images, VISIBLE, TARGETS, 0.3, MixPass.VISIBLE, branches));
  }

  @Test
  void aBranchThatIsLeftOutHasNoPartInTheLoss() {
    double[][][] branches = {{{1, 1}, {0, 0}}, {{1, 1}, {0, 0}}};

    Result result = ReferenceViT.sl(CLS, Formula.weights(CLS), images, TARGETS, branches);

    result
        .gradients()
        .forEach(
            (name, gradient) -> {
              if (name.startsWith("encoder-1.")) {
                assertThat(gradient).as(name).containsOnly(0);
              }
            });
  }

  @Test
  void twoPassesAreTheWeightedSumOfBothObjectives() {
    Map<String, double[]> weights = Formula.weights(CLS);
    Result ssl = ReferenceViT.ssl(CLS, weights, images, VISIBLE);
    Result sl = ReferenceViT.sl(CLS, weights, images, TARGETS);

    Result joint = joint(CLS, weights, 0.3, MixPass.TWO_PASS);

    assertThat(joint.sslLoss()).isEqualTo(ssl.loss());
    assertThat(joint.slLoss()).isEqualTo(sl.loss());
    assertThat(joint.loss()).isCloseTo(0.3 * ssl.loss() + 0.7 * sl.loss(), EXACT);
    joint
        .gradients()
        .forEach(
            (name, gradient) -> {
              double[] none = new double[gradient.length];
              double[] ofSsl = ssl.gradients().getOrDefault(name, none);
              double[] ofSl = sl.gradients().getOrDefault(name, none);
              for (int i = 0; i < gradient.length; i++) {
                assertThat(gradient[i]).as(name).isCloseTo(0.3 * ofSsl[i] + 0.7 * ofSl[i], EXACT);
              }
            });
  }

  @Test
  void theVisiblePassReconstructsAsSslDoesButClassifiesWhatItSees() {
    Map<String, double[]> weights = Formula.weights(CLS);

    Result joint = joint(CLS, weights, 0.3, MixPass.VISIBLE);

    assertThat(joint.sslLoss()).isEqualTo(ReferenceViT.ssl(CLS, weights, images, VISIBLE).loss());
    assertThat(joint.slLoss())
        .isNotCloseTo(ReferenceViT.sl(CLS, weights, images, TARGETS).loss(), within(1e-6));
  }

  /** Zero weights predict zero pixels and equal classes. */
  @Test
  void anAllZeroModelHasTheLossesOfKnowingNothing() {
    Map<String, double[]> zeros = Formula.weights(MEAN);
    zeros.values().forEach(tensor -> Arrays.fill(tensor, 0));
    double[][] constant = new double[2][3 * 8 * 8];
    Arrays.fill(constant[0], 0.5);
    Arrays.fill(constant[1], 0.25);

    assertThat(ReferenceViT.sl(MEAN, zeros, images, TARGETS).loss()).isCloseTo(Math.log(3), EXACT);
    assertThat(ReferenceViT.ssl(MEAN, zeros, constant, VISIBLE).loss())
        .as("2 hidden patches of the first image, 3 of the second")
        .isCloseTo((2 * 0.25 + 3 * 0.0625) / 5, EXACT);
    assertThat(ReferenceViT.ssl(CLS, zeros, images, VISIBLE).loss())
        .as("variance one, but for the unbiased divisor")
        .isCloseTo(47 / 48.0, within(1e-4));
  }

  @ParameterizedTest
  @EnumSource(
      value = MixPass.class,
      names = {"VISIBLE", "CORRUPTED"})
  void hiddenPixelsReachOnlyTheTarget(MixPass pass) {
    double[][] changed = {images[0].clone(), images[1].clone()};
    changed[0][0] += 0.25; // in patch 0, hidden
    Map<String, double[]> weights = Formula.weights(MEAN);

    Result before = joint(MEAN, weights, 0.3, pass);
    Result after = ReferenceViT.joint(MEAN, weights, changed, VISIBLE, TARGETS, 0.3, pass);

    assertThat(after.slLoss()).isEqualTo(before.slLoss());
    assertThat(after.sslLoss()).isNotEqualTo(before.sslLoss());
  }

  @Test
  void anImageWithoutALabelDoesNotCount() {
    Map<String, double[]> weights = Formula.weights(CLS);
    double[][] half = {{0, 0, 0}, TARGETS[1]};
    double[][] second = {images[1]};

    assertThat(ReferenceViT.sl(CLS, weights, images, half).loss())
        .isCloseTo(
            ReferenceViT.sl(CLS, weights, second, new double[][] {TARGETS[1]}).loss(), EXACT);
  }

  @Test
  void withoutAnyLabelTheLossAndItsGradientsAreZero() {
    Result result =
        ReferenceViT.sl(CLS, Formula.weights(CLS), images, new double[][] {{0, 0, 0}, {0, 0, 0}});

    assertThat(result.loss()).isZero();
    assertThat(result.gradients().values())
        .allSatisfy(gradient -> assertThat(gradient).containsOnly(0));
  }

  @Test
  void gradientsNameExactlyTheTensorsOfTheObjective() {
    Map<String, double[]> weights = Formula.weights(CLS);

    Set<String> all = ReferenceViT.shapes(CLS).keySet();
    assertThat(joint(CLS, weights, 0.5, MixPass.CORRUPTED).gradients()).containsOnlyKeys(all);
    assertThat(joint(CLS, weights, 0.5, MixPass.VISIBLE).gradients().keySet())
        .hasSize(all.size() - 1)
        .doesNotContain("mask-token.token");
    assertThat(ReferenceViT.ssl(CLS, weights, images, VISIBLE).gradients().keySet())
        .contains("decoder-embedding.mask", "pixels.projection-bias")
        .noneMatch(name -> name.startsWith("head."));
    assertThat(ReferenceViT.sl(CLS, weights, images, TARGETS).gradients().keySet())
        .contains("head.weight", "encoder-1.fc2.bias")
        .noneMatch(name -> name.startsWith("decoder") || name.startsWith("pixels"));
  }

  @Test
  void shapesCountTheParametersOfVitTiny() {
    Dimensions tiny = new Dimensions(32, 3, 4, 192, 12, 3, 192, 4, 3, 10, false, true);
    long encoder = parameters(tiny, "patch-embedding", "encoder");

    assertThat(encoder).isEqualTo(49 * 192 + 192 + 12 * (12L * 192 * 192 + 13 * 192) + 2 * 192);
    assertThat(parameters(tiny, "head")).isEqualTo(193 * 10);
  }

  private static long parameters(Dimensions d, String... prefixes) {
    return ReferenceViT.shapes(d).entrySet().stream()
        .filter(e -> Arrays.stream(prefixes).anyMatch(e.getKey()::startsWith))
        .mapToLong(e -> Arrays.stream(e.getValue()).reduce(1, (a, b) -> a * b))
        .sum();
  }

  @Test
  void aTensorThatDoesNotFitIsNamed() {
    Map<String, double[]> weights = Formula.weights(CLS);
    weights.put("encoder-1.norm2.gain", new double[7]);
    assertThatThrownBy(() -> ReferenceViT.sl(CLS, weights, images, TARGETS))
        .hasMessage("tensor encoder-1.norm2.gain: 7 values, expected 8 values");

    weights.remove("encoder-1.norm2.gain");
    assertThatThrownBy(() -> ReferenceViT.sl(CLS, weights, images, TARGETS))
        .hasMessage("tensor encoder-1.norm2.gain: missing, expected 8 values");
  }

  private Result joint(Dimensions d, Map<String, double[]> weights, double alpha, MixPass pass) {
    return ReferenceViT.joint(d, weights, images, VISIBLE, TARGETS, alpha, pass);
  }

  /** Central differences at four entries of every tensor. */
  private static void differentiate(Dimensions d, Function<Map<String, double[]>, Result> step) {
    Map<String, double[]> weights = Formula.weights(d);
    Map<String, double[]> gradients = step.apply(weights).gradients();
    double h = 1e-5;
    weights.forEach(
        (name, tensor) -> {
          double[] gradient = gradients.getOrDefault(name, new double[tensor.length]);
          for (int k = 0; k < 4; k++) {
            int i = k * 1009 % tensor.length; // scattered over rows and columns
            double at = tensor[i];
            tensor[i] = at + h;
            double above = step.apply(weights).loss();
            tensor[i] = at - h;
            double below = step.apply(weights).loss();
            tensor[i] = at;
            assertThat(gradient[i])
                .as("%s[%d]", name, i)
                .isCloseTo((above - below) / (2 * h), within(1e-8));
          }
        });
    assertThat(gradients.values())
        .as("the gradients are large enough for the tolerance")
        .anySatisfy(g -> assertThat(Arrays.stream(g).map(Math::abs).sum()).isGreaterThan(0.1));
  }
}
