package org.mixtraining.vit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.config.ModelConfig;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.config.UserException;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.Objective;

class ViTTest {

  @ParameterizedTest
  @CsvSource({
    "vit-base, 768, 12",
    "vit-small, 384, 12",
    "vit-tiny, 192, 12",
    "vit-micro, 96, 6",
    "vit-nano, 48, 3"
  })
  void parametersOfEveryPresetAndObjectiveAreTheFormulas(String preset, int dim, int depth) {
    ModelConfig model = model("model.preset=" + preset);
    ViT vit = ViT.of(model, 32, 32, 3, 10);
    int width = model.decoder().dim();
    long encoder = linear(48, dim) + dim + depth * block(dim) + 2L * dim;
    long decoder =
        linear(dim, width)
            + width
            + model.decoder().depth() * block(width)
            + 2L * width
            + linear(width, 48);
    long head = linear(dim, 10);

    assertThat(parameters(vit, Objective.SL)).isEqualTo(encoder + head);
    assertThat(parameters(vit, Objective.SSL)).isEqualTo(encoder + decoder);
    assertThat(parameters(vit, Objective.JOINT)).isEqualTo(encoder + decoder + head);
  }

  /** timm's vit_tiny with patch 4 at 32 pixels has 5,362,762, of which 65 · 192 are positions. */
  @Test
  void vitTinyIsTimmsWithoutItsLearnedPositions() {
    ViT vit = ViT.of(model(), 32, 32, 3, 10);

    assertThat(parameters(vit, Objective.SL)).isEqualTo(5_362_762 - 65 * 192);
  }

  private static long linear(int in, int out) {
    return (long) in * out + out;
  }

  private static long block(int dim) {
    long attention = linear(dim, 3 * dim) + linear(dim, dim);
    long mlp = linear(dim, 4 * dim) + linear(4 * dim, dim);
    return attention + mlp + 2 * 2L * dim;
  }

  private static long parameters(ViT vit, Objective objective) {
    var configuration =
        ViTGraph.configuration(
            vit,
            objective,
            EncoderInput.of(objective, MixPass.TWO_PASS),
            ViTFixtures.optimizer(),
            1);
    return configuration.getVertices().values().stream().mapToLong(v -> v.numParams(true)).sum();
  }

  @ParameterizedTest
  @CsvSource({"0.75, 16, 48", "0.6, 25, 39", "0.99, 1, 63", "0.01, 63, 1"})
  void theMaskRatioRoundsDownToVisiblePatchesButLeavesOne(double ratio, int visible, int hidden) {
    ViT vit = ViT.of(model("model.mask-ratio=" + ratio), 32, 32, 3, 10);

    assertThat(vit.visiblePatches()).isEqualTo(visible);
    assertThat(vit.patches() - vit.visiblePatches()).isEqualTo(hidden);
    assertThat(vit.visibleTokens()).isEqualTo(visible + 1);
    assertThat(vit.fullTokens()).isEqualTo(65);
  }

  @Test
  void aMaskRatioOfAnEpochLeavesOnePatchHiddenAndOneVisible() {
    ViT vit = ViT.of(model(), 32, 32, 3, 10);

    assertThat(vit.masking(0).visiblePatches()).isEqualTo(63);
    assertThat(vit.masking(0.5).visiblePatches()).isEqualTo(32);
    assertThat(vit.masking(0.999).visiblePatches()).isEqualTo(1);
    assertThat(vit.masking(0.5).masking(0.75)).isEqualTo(vit);
  }

  @Test
  void operationsOfAVisiblePassFollowTheMaskRatio() {
    ViT vit = ViTFixtures.vit(8, 1, 4, 4, 1, 1, 8, 1, 1, 3, Pooling.CLS, 0.75, true);
    double more = vit.masking(0).trainingFlops(Objective.JOINT, EncoderInput.VISIBLE);

    assertThat(more - vit.trainingFlops(Objective.JOINT, EncoderInput.VISIBLE))
        .isEqualTo(
            2 * products(16, 2, 4)
                + 3 * (blockProducts(4, 4) - blockProducts(2, 4))
                + 3 * products(4, 2, 8));
  }

  @Test
  void operationsOfATrainingStepAreCountedProductByProduct() {
    // 8-pixel grey images of 4 patches, 1 visible; one block each of width 4 and 8
    ViT vit = ViTFixtures.vit(8, 1, 4, 4, 1, 1, 8, 1, 1, 3, Pooling.CLS, 0.75, true);
    double encoder = 2 * products(16, 5, 4) + 3 * blockProducts(5, 4);
    double masked = 2 * products(16, 2, 4) + 3 * blockProducts(2, 4);
    double decoder = 3 * (products(4, 2, 8) + blockProducts(5, 8) + products(8, 5, 16));
    double head = 3 * products(4, 1, 3);

    assertThat(vit.trainingFlops(Objective.SL, EncoderInput.FULL)).isEqualTo(encoder + head);
    assertThat(vit.trainingFlops(Objective.SSL, EncoderInput.VISIBLE)).isEqualTo(masked + decoder);
    assertThat(vit.trainingFlops(Objective.JOINT, EncoderInput.VISIBLE))
        .isEqualTo(masked + decoder + head);
    assertThat(vit.trainingFlops(Objective.JOINT, EncoderInput.CORRUPTED))
        .isEqualTo(encoder + decoder + 3 * products(4, 3, 8) + head);
    assertThat(vit.trainingFlops(Objective.JOINT, EncoderInput.BOTH))
        .isEqualTo(masked + encoder + decoder + head);
    assertThat(vit.inferenceFlops())
        .isCloseTo(products(16, 5, 4) + blockProducts(5, 4) + products(4, 1, 3), within(1e-6));
  }

  private static double products(int in, int tokens, int out) {
    return 2.0 * in * tokens * out;
  }

  private static double blockProducts(int tokens, int dim) {
    double attention = products(dim, tokens, tokens) + products(tokens, tokens, dim);
    return products(dim, tokens, 3 * dim)
        + attention
        + products(dim, tokens, dim)
        + products(dim, tokens, 4 * dim)
        + products(4 * dim, tokens, dim);
  }

  @ParameterizedTest
  @CsvSource({"32, 24", "30, 30"})
  void anImageThatPatchesDoNotTileNamesTheKey(int height, int width) {
    assertThatThrownBy(() -> ViT.of(model(), height, width, 3, 10))
        .isInstanceOf(UserException.class)
        .hasMessage(
            String.format(
                Locale.ROOT,
                "mixtraining.model.patch = 4: must divide the image size, which is %dx%d in the prepared dataset",
                height,
                width));
  }

  @Test
  void tokenWidthsMustSuitHeadsAndPositions() {
    assertThatThrownBy(() -> ViTFixtures.vit(8, 1, 4, 6, 1, 1, 8, 1, 1, 3, Pooling.CLS, 0.75, true))
        .hasMessageContaining("multiples of 4 and of their heads");
    assertThatThrownBy(() -> ViTFixtures.vit(8, 1, 4, 8, 1, 3, 8, 1, 1, 3, Pooling.CLS, 0.75, true))
        .hasMessageContaining("multiples of 4 and of their heads");
  }

  private static ModelConfig model(String... overrides) {
    return JobConfig.load(Optional.empty(), List.of(overrides)).model();
  }
}
