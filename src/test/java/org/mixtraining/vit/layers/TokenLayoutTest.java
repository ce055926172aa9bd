package org.mixtraining.vit.layers;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.kernels.Kernels;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTFixtures;
import org.mixtraining.vit.layers.TokenLayout.Chunk;

class TokenLayoutTest {

  /** 64 patches, 16 visible, as ViT-Tiny at 32 pixels. */
  private final ViT vit =
      ViTFixtures.vit(32, 3, 4, 12, 1, 3, 12, 1, 3, 10, Pooling.MEAN, 0.75, true);

  @Test
  void groupsAreTheSequencesThatTheEncoderSees() {
    assertThat(TokenLayout.of(vit, EncoderInput.FULL, 3).groups())
        .containsExactly(new Sequences(0, 3, 65));
    assertThat(TokenLayout.of(vit, EncoderInput.CORRUPTED, 3).groups())
        .containsExactly(new Sequences(0, 3, 65));
    assertThat(TokenLayout.of(vit, EncoderInput.VISIBLE, 3).groups())
        .containsExactly(new Sequences(0, 3, 17));
    assertThat(TokenLayout.of(vit, EncoderInput.BOTH, 3).groups())
        .containsExactly(new Sequences(0, 3, 17), new Sequences(51, 3, 65));
  }

  @Test
  void theDecoderContinuesTheVisibleTokensAndTheHeadPoolsTheFullOnes() {
    TokenLayout both = TokenLayout.of(vit, EncoderInput.BOTH, 3);

    assertThat(both.decoded().tokens()).isEqualTo(17);
    assertThat(both.pooled().tokens()).isEqualTo(65);
    assertThat(TokenLayout.of(vit, EncoderInput.VISIBLE, 3).pooled().tokens()).isEqualTo(17);
  }

  @ParameterizedTest
  @EnumSource(EncoderInput.class)
  void aLayoutIsKnownByItsRows(EncoderInput encoderInput) {
    for (int images = 1; images <= 200; images++) {
      TokenLayout layout = TokenLayout.of(vit, encoderInput, images);

      assertThat(TokenLayout.ofRows(vit, encoderInput, layout.rows())).isEqualTo(layout);
    }
  }

  @ParameterizedTest
  @EnumSource(EncoderInput.class)
  void chunksCoverEveryRowAndAttentionWeightOnce(EncoderInput encoderInput) {
    int heads = 3;
    for (int images = 1; images <= 200; images++) {
      TokenLayout layout = TokenLayout.of(vit, encoderInput, images);
      BitSet rows = new BitSet();
      BitSet attention = new BitSet();
      for (Chunk chunk : layout.chunks(heads)) {
        assertThat(chunk.toRow() - chunk.fromRow()).isEqualTo(chunk.images() * chunk.tokens());
        take(rows, chunk.fromRow(), chunk.toRow());
        int size =
            chunk.images() * heads * chunk.tokens() * Kernels.probabilityStride(chunk.tokens());
        take(attention, (int) chunk.attention(), (int) chunk.attention() + size);
      }
      assertThat(rows.nextClearBit(0)).isEqualTo(rows.length()).isEqualTo(layout.rows());
      assertThat(attention.nextClearBit(0))
          .isEqualTo(attention.length())
          .isEqualTo((int) layout.attentionSize(heads));
    }
  }

  private static void take(BitSet taken, int from, int to) {
    assertThat(taken.get(from, to).isEmpty()).as("%d to %d", from, to).isTrue();
    taken.set(from, to);
  }

  @ParameterizedTest
  @EnumSource(EncoderInput.class)
  void aChunkLiesWithinOneGroup(EncoderInput encoderInput) {
    TokenLayout layout = TokenLayout.of(vit, encoderInput, 33);
    for (Chunk chunk : layout.chunks(1)) {
      assertThat(layout.groups())
          .filteredOn(g -> g.tokens() == chunk.tokens())
          .singleElement()
          .satisfies(
              g -> {
                assertThat(chunk.fromRow()).isGreaterThanOrEqualTo(g.firstRow());
                assertThat(chunk.toRow()).isLessThanOrEqualTo(g.firstRow() + g.rows());
              });
    }
  }

  @ParameterizedTest
  @EnumSource(EncoderInput.class)
  void aChunkKnowsItsImages(EncoderInput encoderInput) {
    TokenLayout layout = TokenLayout.of(vit, encoderInput, 33);
    for (Sequences group : layout.groups()) {
      int image = 0;
      for (Chunk chunk : layout.chunks(1)) {
        if (chunk.tokens() == group.tokens()) {
          assertThat(layout.firstImage(chunk)).isEqualTo(image);
          image += chunk.images();
        }
      }
      assertThat(image).isEqualTo(33);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "4, 2", // 260 rows
    "16, 2", // 1040 rows: fourths would have 260
    "17, 4", "64, 4", "68, 8"
  })
  void chunksAreOfAMultipleOfFourUnlessThoseWouldBeSmall(int images, int chunks) {
    assertThat(TokenLayout.of(vit, EncoderInput.FULL, images).chunks(1)).hasSize(chunks);
  }

  @Test
  void chunksAreSmallAndEqual() {
    for (int images = 2; images <= 200; images++) {
      List<Chunk> chunks = TokenLayout.of(vit, EncoderInput.FULL, images).chunks(1);
      List<Integer> sizes = chunks.stream().map(Chunk::images).sorted().toList();

      assertThat(chunks.size() % 2).isZero();
      assertThat(sizes.get(sizes.size() - 1) - sizes.get(0)).isLessThanOrEqualTo(1);
      assertThat(sizes.get(sizes.size() - 1) * 65).isLessThanOrEqualTo(1088 + 65);
    }
  }
}
