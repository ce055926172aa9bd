package org.mixtraining.vit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.mixtraining.config.ModelConfig.Pooling;

/** An image of 2 x 2 patches of 2 x 2 pixels, of which only the second is visible. */
class ReconstructionTest {
  private static final Offset<Float> ROUNDING = within(1e-5f);

  private static Reconstruction of(boolean normPix) {
    ViT vit = ViTFixtures.vit(4, 1, 2, 12, 1, 3, 12, 1, 3, 5, Pooling.MEAN, 0.75, normPix);
    float[] pixels = new float[16];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = i;
    }
    float[] mask = {0, 1, 0, 0};
    float[] predictions = {
      90, 91, 92, 93, // the class token's: of no patch
      0, 1, 2, 3,
      80, 81, 82, 83, // of the visible patch, which is not predicted
      4, 5, 6, 7,
      -1, 0, 0, 1
    };
    return Reconstruction.of(vit, pixels, mask, predictions);
  }

  @Test
  void theVisiblePatchIsSeenAndTheOthersArePredicted() {
    Reconstruction reconstruction = of(false);

    assertThat(reconstruction.seen())
        .containsExactly(0, 0, 2, 3, 0, 0, 6, 7, 0, 0, 0, 0, 0, 0, 0, 0);
    assertThat(reconstruction.completed())
        .containsExactly(0, 1, 2, 3, 2, 3, 6, 7, 4, 5, -1, 0, 6, 7, 0, 1);
  }

  @Test
  void aNormalisedPredictionGetsTheMeanAndTheDeviationOfThePatchThatItStandsFor() {
    float[] completed = of(true).completed();

    // Pixels 0, 1, 4, 5: mean 2.5, unbiased variance 17 / 3.
    float deviation = (float) Math.sqrt(17.0 / 3 + 1e-6);
    assertThat(completed[0]).isEqualTo(2.5f, ROUNDING);
    assertThat(completed[1]).isEqualTo(2.5f + deviation, ROUNDING);
    assertThat(completed[5]).isEqualTo(2.5f + 3 * deviation, ROUNDING);
    // Pixels 10, 11, 14, 15 of the last patch.
    assertThat(completed[10]).isEqualTo(12.5f - deviation, ROUNDING);
    assertThat(completed[15]).isEqualTo(12.5f + deviation, ROUNDING);
    assertThat(completed[2]).isEqualTo(2);
  }
}
