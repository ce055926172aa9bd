package org.mixtraining.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.reference.AdamWReference.Slot;
import org.mixtraining.reference.ReferenceViT.Dimensions;
import org.mixtraining.reference.ReferenceViT.Result;

/**
 * The reference reproduces PyTorch.
 *
 * <p>The figures in {@code reference/pytorch.json} come from PyTorch 2.13 in float64 on a CPU: the
 * position embedding, decoder and loss of facebookresearch/mae, {@code conv2d} patch embedding,
 * {@code scaled_dot_product_attention}, {@code layer_norm}, {@code gelu}, {@code cross_entropy},
 * autograd and {@code optim.AdamW}. Weights and images are those of {@link Formula}: entry i of
 * tensor t is 0.3·sin(1 + t + 0.37·i²), plus 1 in a gain; pixel i of image n is 0.5 + 0.5·sin(2 + n
 * + 0.53·i²). Of each gradient g the file holds the norm and Σ cos(i)·g[i], which tells signs and
 * places apart.
 */
class PyTorchTest {

  private static final Offset<Double> TIGHT = within(1e-12);
  private static final ObjectMapper JSON = new ObjectMapper();

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void lossesAndGradientsAreThoseOfPyTorch(String name, Dimensions d, JsonNode expected)
      throws IOException {
    Result result = step(expected.get("objective").asText(), d);

    assertThat(result.loss()).isCloseTo(expected.get("loss").asDouble(), TIGHT);
    assertThat(result.sslLoss()).isCloseTo(expected.get("sslLoss").asDouble(), TIGHT);
    assertThat(result.slLoss()).isCloseTo(expected.get("slLoss").asDouble(), TIGHT);
    JsonNode gradients = expected.get("gradients");
    assertThat(result.gradients()).hasSize(gradients.size());
    result
        .gradients()
        .forEach(
            (tensor, g) -> {
              double squares = 0;
              double probe = 0;
              for (int i = 0; i < g.length; i++) {
                squares += g[i] * g[i];
                probe += Math.cos(i) * g[i];
              }
              JsonNode figures = gradients.path(tensor);
              assertThat(Math.sqrt(squares))
                  .as(tensor)
                  .isCloseTo(figures.path(0).asDouble(), TIGHT);
              assertThat(probe).as(tensor).isCloseTo(figures.path(1).asDouble(), TIGHT);
            });
  }

  static List<Arguments> cases() throws IOException {
    List<Arguments> cases = new ArrayList<>();
    for (JsonNode expected : figures().get("cases")) {
      ObjectNode sizes = figures().get("dimensions").deepCopy();
      sizes.set("meanPooling", expected.get("meanPooling"));
      sizes.set("normPix", expected.get("normPix"));
      Dimensions d = JSON.treeToValue(sizes, Dimensions.class);
      String name =
          "%s, %s pooling, %s pixels"
              .formatted(
                  expected.get("objective").asText(),
                  d.meanPooling() ? "mean" : "cls",
                  d.normPix() ? "normalised" : "plain");
      cases.add(Arguments.of(name, d, expected));
    }
    return cases;
  }

  private static Result step(String objective, Dimensions d) throws IOException {
    JsonNode figures = figures();
    boolean[][] visible = JSON.treeToValue(figures.get("visible"), boolean[][].class);
    double[][] targets = JSON.treeToValue(figures.get("targets"), double[][].class);
    double alpha = figures.get("alpha").asDouble();
    Map<String, double[]> weights = Formula.weights(d);
    double[][] images = Formula.images(d, visible.length);
    return switch (objective) {
      case "ssl" -> ReferenceViT.ssl(d, weights, images, visible);
      case "sl" -> ReferenceViT.sl(d, weights, images, targets);
      case "joint-visible" ->
          ReferenceViT.joint(d, weights, images, visible, targets, alpha, MixPass.VISIBLE);
      case "joint-two-pass" ->
          ReferenceViT.joint(d, weights, images, visible, targets, alpha, MixPass.TWO_PASS);
      default -> throw new IllegalArgumentException(objective);
    };
  }

  /**
   * Four steps at lr 0.01, betas (0.9, 0.95), eps 1e-8, decay 0.05 on the weight alone: they start
   * from sin(p + 0.37·i²) with p = 1 and 2; the gradients of step k = 1 … 4 are 0.1·k·sin(p + 1 + k
   * + 0.37·i²).
   */
  @Test
  void adamWIsThatOfPyTorch() throws IOException {
    AdamWReference adam = new AdamWReference(0.01, 0.9, 0.95, 1e-8, 0.05);
    Map<String, Slot> state =
        Map.of("x.weight", Slot.fresh(wave(1, 1)), "x.bias", Slot.fresh(wave(1, 2)));
    for (int k = 1; k <= 4; k++) {
      Map<String, double[]> gradients =
          Map.of("x.weight", wave(0.1 * k, 2 + k), "x.bias", wave(0.1 * k, 3 + k));
      state = adam.step(state, gradients);
    }

    JsonNode expected = figures().get("adamW");
    state.forEach(
        (name, slot) -> {
          for (int i = 0; i < 6; i++) {
            assertThat(slot.weights()[i])
                .as("%s[%d]", name, i)
                .isCloseTo(expected.get(name).get(i).asDouble(), TIGHT);
          }
        });
  }

  private static double[] wave(double amplitude, double phase) {
    return Formula.wave(0, amplitude, phase, 0.37, 6);
  }

  private static JsonNode figures() throws IOException {
    try (InputStream json = PyTorchTest.class.getResourceAsStream("/reference/pytorch.json")) {
      return JSON.readTree(json);
    }
  }
}
