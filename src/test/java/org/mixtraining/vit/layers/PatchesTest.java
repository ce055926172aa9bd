package org.mixtraining.vit.layers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTFixtures;

class PatchesTest {

  /** 4-pixel images of 2 channels in 2-pixel patches. */
  private final ViT vit = ViTFixtures.vit(4, 2, 2, 12, 1, 3, 12, 1, 3, 5, Pooling.MEAN, 0.75, true);

  @Test
  void patchesAreInRowMajorOrderAndHoldChannelThenRowThenColumn() {
    try (Matrix images = Matrix.allocate(2, 32);
        Matrix patches = Matrix.allocate(4, 8)) {
      for (int i = 0; i < 32; i++) {
        images.set(1, i, i);
      }
      for (int p = 0; p < 4; p++) {
        Patches.copy(vit, images, 1, p, patches, p);
      }

      assertThat(ViTFixtures.rows(patches))
          .isDeepEqualTo(
              new double[][] {
                {0, 1, 4, 5, 16, 17, 20, 21},
                {2, 3, 6, 7, 18, 19, 22, 23},
                {8, 9, 12, 13, 24, 25, 28, 29},
                {10, 11, 14, 15, 26, 27, 30, 31}
              });
    }
  }

  @Test
  void aPatchIsNormalisedByItsOwnUnbiasedVariance() {
    try (Matrix patches = Matrix.allocate(2, 4)) {
      patches.write(new float[] {9, 9, 9, 9, 1, 2, 3, 4}, 0);

      Patches.normalise(patches, 1);

      double deviation = Math.sqrt(5.0 / 3 + 1e-6);
      assertThat(ViTFixtures.doubles(patches.rows(1, 2)))
          .containsExactly(
              new double[] {-1.5 / deviation, -.5 / deviation, .5 / deviation, 1.5 / deviation},
              within(1e-6));
      assertThat(ViTFixtures.doubles(patches.rows(0, 1))).containsOnly(9);
    }
  }

  @Test
  void aPatchOfOneValueBecomesZeroNotNaN() {
    try (Matrix patches = Matrix.allocate(1, 1)) {
      patches.fill(7);

      assertThat(Patches.deviation(patches, 0)).isEqualTo(1e-3);
      Patches.normalise(patches, 0);

      assertThat(ViTFixtures.doubles(patches)).containsOnly(0);
    }
  }

  @Test
  void aFlatPatchBecomesZeroNotNaN() {
    try (Matrix patches = Matrix.allocate(1, 4)) {
      patches.fill(7);

      Patches.normalise(patches, 0);

      assertThat(ViTFixtures.doubles(patches)).containsOnly(0);
    }
  }
}
