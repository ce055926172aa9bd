package org.mixtraining.vit.layers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTFixtures;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class PatchMaskTest {

  /** 16 patches, 4 visible. */
  private final ViT vit = ViTFixtures.small();

  @ParameterizedTest
  @ValueSource(chars = {'c', 'f'})
  void visiblePatchesAreNumberedInAscendingOrder(char order) {
    INDArray mask = Nd4j.zeros(2, 16).dup(order);
    show(mask, 0, 15, 3, 8, 0);
    show(mask, 1, 4, 5, 6, 7);

    PatchMask patchMask = PatchMask.of(mask, vit);

    assertThat(patchMask.patch(0, 0)).isEqualTo(0);
    assertThat(patchMask.patch(0, 3)).isEqualTo(15);
    assertThat(patchMask.token(0, 8)).isEqualTo(3);
    assertThat(patchMask.token(0, 9)).isZero();
    assertThat(patchMask.patch(1, 0)).isEqualTo(4);
    assertThat(patchMask.token(1, 7)).isEqualTo(4);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 3, 5, 16})
  void anotherNumberOfVisiblePatchesNamesTheImage(int visible) {
    INDArray mask = Nd4j.zeros(2, 16);
    show(mask, 0, 0, 1, 2, 3);
    for (int p = 0; p < visible; p++) {
      show(mask, 1, p);
    }

    assertThatThrownBy(() -> PatchMask.of(mask, vit))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("image 1 of the mask must show exactly 4 of 16 patches");
  }

  @Test
  void aMaskForOtherImagesShowsBothShapes() {
    assertThatThrownBy(() -> PatchMask.of(Nd4j.zeros(2, 64), vit))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a features mask is [images, 16], got [2, 64]");
  }

  @Test
  void aMissingMaskIsAnError() {
    assertThatThrownBy(() -> PatchMask.of(null, vit))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("a masked pass needs a features mask [images, patches]");
  }

  private static void show(INDArray mask, int image, int... patches) {
    for (int patch : patches) {
      mask.putScalar(image, patch, 1);
    }
  }
}
