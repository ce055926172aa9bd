package org.mixtraining.vit.layers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTFixtures;

class PatchesTest {

  /** 4-pixel images of 2 channels in 2-pixel patches. */
  private final ViT vit = ViTFixtures.vit(4, 2, 2, 12, 1, 3, 12, 1, 3, 5, Pooling.MEAN, 0.75, true);

  @Test
  void patchesAreInRowMajorOrderAndHoldChannelThenRowThenColumn() {
    float[] images = new float[2 * 32];
    for (int i = 0; i < 32; i++) {
      images[32 + i] = i;
    }
    float[] patches = new float[4 * 8];

    for (int p = 0; p < 4; p++) {
      Patches.copy(vit, images, 1, p, patches, p * 8);
    }

    assertThat(patches)
        .containsExactly(
            0, 1, 4, 5, 16, 17, 20, 21, //
            2, 3, 6, 7, 18, 19, 22, 23, //
            8, 9, 12, 13, 24, 25, 28, 29, //
            10, 11, 14, 15, 26, 27, 30, 31);
  }

  @Test
  void patchesPutBackMakeTheImageAgain() {
    float[] images = new float[2 * 32];
    for (int i = 0; i < images.length; i++) {
      images[i] = i;
    }
    float[] again = new float[images.length];
    float[] patch = new float[8];

    for (int i = 0; i < 2; i++) {
      for (int p = 0; p < 4; p++) {
        Patches.copy(vit, images, i, p, patch, 0);
        Patches.paste(vit, patch, again, i, p);
      }
    }

    assertThat(again).containsExactly(images);
  }

  @Test
  void aPatchIsNormalisedByItsOwnUnbiasedVariance() {
    float[] patch = {1, 2, 3, 4};

    Patches.normalise(patch);

    float deviation = (float) Math.sqrt(5.0 / 3 + 1e-6);
    assertThat(patch)
        .containsExactly(
            new float[] {-1.5f / deviation, -.5f / deviation, .5f / deviation, 1.5f / deviation},
            within(1e-6f));
  }

  @Test
  void aPatchOfOneValueBecomesZeroNotNaN() {
    float[] patch = {7};

    assertThat(Patches.deviation(patch)).isEqualTo(1e-3);
    Patches.normalise(patch);

    assertThat(patch).containsOnly(0);
  }

  @Test
  void aFlatPatchBecomesZeroNotNaN() {
    float[] patch = {7, 7, 7, 7};

    Patches.normalise(patch);

    assertThat(patch).containsOnly(0);
  }
}
