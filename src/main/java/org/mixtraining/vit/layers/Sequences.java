package org.mixtraining.vit.layers;

import java.util.ArrayList;
import java.util.List;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.vit.ViT;

/** Rows of tokens: a sequence of so many tokens for each image, one after another. */
public record Sequences(int firstRow, int images, int tokens) {

  public int rows() {
    return images * tokens;
  }

  /**
   * What passes through the encoder: for {@link EncoderInput#BOTH} the visible patches first, then
   * all.
   */
  public static List<Sequences> encoded(ViT vit, EncoderInput encoderInput, int images) {
    List<Sequences> all = new ArrayList<>();
    int row = 0;
    if (encoderInput.selects()) {
      all.add(new Sequences(row, images, vit.visibleTokens()));
      row += images * vit.visibleTokens();
    }
    if (encoderInput.covers()) {
      all.add(new Sequences(row, images, vit.fullTokens()));
    }
    return List.copyOf(all);
  }

  /** Rows of all of them. */
  public static int rows(List<Sequences> sequences) {
    return sequences.stream().mapToInt(Sequences::rows).sum();
  }
}
