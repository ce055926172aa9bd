package org.mixtraining.vit.layers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class PositionEmbeddingTest {

  private final float[] embedding = PositionEmbedding.of(3, 8);

  @Test
  void theClassTokenHasNoPosition() {
    assertThat(embedding).hasSize(10 * 8);
    assertThat(token(0)).containsOnly(0);
  }

  /** get_2d_sincos_pos_embed(8, 3, cls_token=True) of facebookresearch/mae. */
  @Test
  void theFirstHalfIsTheColumnsTheSecondTheRows() {
    assertThat(token(1)).containsExactly(0, 0, 1, 1, 0, 0, 1, 1);
    assertThat(token(2)) // row 0, column 1
        .containsExactly(
            new float[] {0.841471f, 0.0099998f, 0.540302f, 0.99995f, 0, 0, 1, 1}, within(1e-6f));
    assertThat(token(4)) // row 1, column 0
        .containsExactly(
            new float[] {0, 0, 1, 1, 0.841471f, 0.0099998f, 0.540302f, 0.99995f}, within(1e-6f));
    assertThat(token(9)) // row 2, column 2
        .containsExactly(
            new float[] {
              0.909297f, 0.0199987f, -0.416147f, 0.9998f,
              0.909297f, 0.0199987f, -0.416147f, 0.9998f
            },
            within(1e-6f));
  }

  private float[] token(int token) {
    return Arrays.copyOfRange(embedding, token * 8, token * 8 + 8);
  }
}
