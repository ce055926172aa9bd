package org.mixtraining.vit;

import org.mixtraining.schedule.Objective;

/**
 * Memory outside the Java heap that a replica takes while it trains, by formula, in bytes: what its
 * layers keep from the forward to the backward pass, what they work in, and its parameters with
 * gradients and moments.
 */
public final class MemoryEstimate {

  private static final int FLOAT = Float.BYTES;

  /**
   * Floats that an encoder block keeps of a token, in token widths: two norms, qkv, attended,
   * middle, the hidden layer and its derivative, and the graph's own output and its gradient.
   */
  private static final int KEPT = 1 + 3 + 1 + 1 + 1 + 2 * ViT.MLP_RATIO + 2;

  /** The same of the working memory that all blocks of a width share. */
  private static final int WORKING = 3 + 1 + ViT.MLP_RATIO + 1;

  private MemoryEstimate() {}

  /**
   * Of a replica that trains.
   *
   * @param parameters of the blocks that the objective trains
   * @param batchSize images of a step
   */
  public static long training(
      ViT vit, Objective objective, EncoderInput sight, long parameters, int batchSize) {
    double floats = 0;
    int longest = 0;
    if (sight.selects()) {
      floats += vit.depth() * block(vit.visibleTokens(), vit.dim(), vit.heads());
      longest = vit.visibleTokens();
    }
    if (sight.covers()) {
      floats += vit.depth() * block(vit.fullTokens(), vit.dim(), vit.heads());
      longest += vit.fullTokens();
    }
    floats += (double) WORKING * longest * vit.dim();
    if (objective != Objective.SL) {
      floats += vit.decoderDepth() * block(vit.fullTokens(), vit.decoderDim(), vit.decoderHeads());
      floats += (double) WORKING * vit.fullTokens() * vit.decoderDim();
      floats += 4.0 * vit.fullTokens() * (vit.decoderDim() + vit.patchValues());
    }
    floats += 4.0 * vit.imageSize() * vit.imageSize() * vit.channels();
    return Math.round(FLOAT * (floats * batchSize + 4.0 * parameters));
  }

  /** Of a replica that predicts; it has a graph with gradients and moments too. */
  public static long inference(ViT vit, long parameters, int batchSize) {
    double floats =
        (KEPT + WORKING) * (double) vit.fullTokens() * vit.dim()
            + (double) vit.heads() * vit.fullTokens() * vit.fullTokens()
            + 4.0 * vit.imageSize() * vit.imageSize() * vit.channels();
    return Math.round(FLOAT * (floats * batchSize + 4.0 * parameters));
  }

  private static double block(int tokens, int width, int heads) {
    return (double) tokens * (KEPT * width + heads * tokens);
  }
}
