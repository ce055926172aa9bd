package org.mixtraining.formats;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.config.ModelConfig.Positions;
import org.mixtraining.data.Normalization;
import org.mixtraining.vit.ViTFixtures;

class ModelCardTest {

  private static ModelCard card(Integer mlpRatio) {
    var vit =
        ViTFixtures.vit(
            12,
            3,
            3,
            12,
            2,
            3,
            20,
            1,
            2,
            5,
            Pooling.MEAN,
            0.75,
            true,
            0,
            Positions.SIN_COS,
            mlpRatio);
    var half = new Normalization(List.of(0.5), List.of(0.25));
    return new ModelCard(
        vit, List.of(new ModelCard.Task("main", 12, half, List.of("a", "b"), 0.875)));
  }

  /** Cards of older versions say the model like this, and theirs must be the same text. */
  @Test
  void theUsualMlpIsNotSaid() {
    assertThat(card(4).json())
        .startsWith(
            "{\"vit\":{\"imageSize\":12,\"channels\":3,\"patch\":3,\"dim\":12,\"depth\":2,\"heads\":3,"
                + "\"decoderDim\":20,\"decoderDepth\":1,\"decoderHeads\":2,\"classes\":5,"
                + "\"pooling\":\"MEAN\",\"maskRatio\":0.75,\"normPix\":true,\"dropPath\":0.0,"
                + "\"positions\":\"SIN_COS\"},\"tasks\"");
    assertThat(ModelCard.parse(card(4).json())).isEqualTo(card(null));
  }

  @Test
  void anotherMlpIsSaid() {
    assertThat(card(2).json()).contains("\"mlpRatio\":2}");
    assertThat(ModelCard.parse(card(2).json())).isEqualTo(card(2)).isNotEqualTo(card(4));
  }
}
