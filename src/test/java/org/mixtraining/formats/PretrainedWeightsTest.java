package org.mixtraining.formats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.config.InitConfig.InitParts;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.config.UserException;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.Head;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.Served;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTFixtures;
import org.mixtraining.vit.ViTGraph;
import org.mixtraining.vit.state.ModelState;

/** Runs that begin from a model that was trained before. */
class PretrainedWeightsTest {

  private final ViT vit = ViTFixtures.small();
  private final List<Head> heads = List.of(new Head("head", vit.served().classes(), 1));

  private static ModelState state(ViT vit, List<Head> heads, long seed) {
    try (Replica replica =
        new Replica(
            ViTGraph.configuration(
                vit,
                heads,
                Objective.JOINT,
                EncoderInput.CORRUPTED,
                ViTFixtures.optimizer(),
                seed))) {
      ViTFixtures.disturb(replica.graph());
      return replica.state();
    }
  }

  private TrainedWeights pretrained(ViT vit, List<Head> heads) {
    return new TrainedWeights("--init m.zip", vit, heads, state(vit, heads, 5).withoutMoments());
  }

  @ParameterizedTest
  @CsvSource({
    "ENCODER, encoder",
    "ENCODER_HEADS, encoder head",
    "ENCODER_DECODER, decoder encoder mask-token",
    "ALL, decoder encoder head mask-token"
  })
  void whatIsTakenIsTheDonorsAndTheRestBeginsAnew(InitParts parts, String blocks) {
    ModelState initial = state(vit, heads, 1);
    TrainedWeights pretrained = pretrained(vit, heads);

    ModelState begun = pretrained.into(vit, heads, initial, parts);

    List<String> taken = List.of(blocks.split(" "));
    assertThat(begun.blocks()).hasSameSizeAs(initial.blocks());
    begun
        .blocks()
        .forEach(
            (name, block) -> {
              ModelState from = taken.contains(name) ? pretrained.state() : initial;
              assertThat(block.parameters()).containsExactly(from.block(name).parameters());
              assertThat(block.m()).hasSameSizeAs(block.parameters()).containsOnly(0);
              assertThat(block.v()).hasSameSizeAs(block.parameters()).containsOnly(0);
              assertThat(block.steps()).isZero();
            });
  }

  @Test
  void anEncoderServesOtherClassesAndOtherImageSizes() {
    ViT other = vit.serving(new Served(24, 9, 0.75));
    List<Head> more = List.of(new Head("head", 9, 1));
    TrainedWeights pretrained = pretrained(vit, heads);

    ModelState begun = pretrained.into(other, more, state(other, more, 1), InitParts.ENCODER);

    assertThat(begun.block("encoder").parameters())
        .containsExactly(pretrained.state().block("encoder").parameters());
  }

  @Test
  void aMismatchNamesEachBlockTheTensorAndBothShapes() {
    ViT wider = ViTFixtures.vit(12, 3, 6, 24, 2, 3, 20, 1, 2, 9, Pooling.MEAN, 0.75, true);
    List<Head> more = List.of(new Head("head", 9, 1));

    assertThatThrownBy(
            () -> pretrained(vit, heads).into(wider, more, state(wider, more, 1), InitParts.ALL))
        .isInstanceOf(UserException.class)
        .hasMessage(
            """
            --init m.zip: block decoder does not fit: decoder-embedding.weight is 12 x 20 there, and 24 x 20 in this run
            --init m.zip: block encoder does not fit: encoder-0.fc1.bias is 48 there, and 96 in this run
            --init m.zip: block head does not fit: head.bias is 5 there, and 9 in this run
            --init m.zip: block mask-token does not fit: mask-token.token is 12 there, and 24 in this run\
            """);
  }

  @Test
  void aDeeperEncoderIsAMismatchToo() {
    ViT deeper = ViTFixtures.vit(12, 3, 3, 12, 3, 3, 20, 1, 2, 5, Pooling.MEAN, 0.75, true);

    assertThatThrownBy(
            () ->
                pretrained(vit, heads)
                    .into(deeper, heads, state(deeper, heads, 1), InitParts.ENCODER))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "--init m.zip: block encoder does not fit: encoder-2.fc1.bias is missing there, and 48 in this run");
  }

  @Test
  void aBlockThatTheDonorLacksIsNamed() {
    TrainedWeights all = pretrained(vit, heads);
    TrainedWeights zip =
        new TrainedWeights(
            "--init m.zip", vit, heads, all.state().only(List.of("encoder", "head")));

    assertThatThrownBy(() -> zip.into(vit, heads, state(vit, heads, 1), InitParts.ENCODER_DECODER))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("--init m.zip: it has no block decoder, but [encoder, head]");
  }

  @Test
  void theBicubicMatrixReproducesLinesAndSumsToOne() {
    var matrix = PatchResampling.bicubic(16, 4);

    for (int row = 0; row < 4; row++) {
      double sum = 0;
      for (double weight : matrix.getRow(row)) {
        sum += weight;
      }
      assertThat(sum).isCloseTo(1, within(1e-12));
    }
    assertThat(PatchResampling.bicubic(5, 5).getEntry(2, 2)).isEqualTo(1);
  }
}
