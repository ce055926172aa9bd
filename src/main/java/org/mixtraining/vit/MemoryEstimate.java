package org.mixtraining.vit;

import org.mixtraining.schedule.Objective;

/**
 * Memory outside the Java heap that a replica takes while it trains, by formula, in bytes: what its
 * layers keep from the forward to the backward pass, what they work in, and its parameters with
 * gradients and moments.
 */
public final class MemoryEstimate {

  private static final int FLOAT = Float.BYTES;

  private MemoryEstimate() {}

  /**
   * Of a replica that trains.
   *
   * @param parameters of the blocks that the objective trains
   * @param batchSize images of a step
   */
  public static long training(
      ViT vit, Objective objective, EncoderInput encoderInput, long parameters, int batchSize) {
    double floats = 0;
    int longest = 0;
    if (encoderInput.selects()) {
      floats += vit.depth() * block(vit, vit.visibleTokens(), vit.dim(), vit.heads());
      longest = vit.visibleTokens();
    }
    if (encoderInput.covers()) {
      floats += vit.depth() * block(vit, vit.fullTokens(), vit.dim(), vit.heads());
      longest += vit.fullTokens();
    }
    floats += (double) working(vit, vit.dim()) * longest;
    if (objective != Objective.SL) {
      floats +=
          vit.decoderDepth() * block(vit, vit.fullTokens(), vit.decoderDim(), vit.decoderHeads());
      floats += (double) working(vit, vit.decoderDim()) * vit.fullTokens();
      floats += 4.0 * vit.fullTokens() * (vit.decoderDim() + vit.patchValues());
    }
    floats += 4.0 * vit.imageSize() * vit.imageSize() * vit.channels();
    return Math.round(FLOAT * (floats * batchSize + 4.0 * parameters));
  }

  /** Of a replica that predicts; it has a graph with gradients and moments too. */
  public static long inference(ViT vit, long parameters, int batchSize) {
    double floats =
        (double) (kept(vit, vit.dim()) + working(vit, vit.dim())) * vit.fullTokens()
            + (double) vit.heads() * vit.fullTokens() * vit.fullTokens()
            + 4.0 * vit.imageSize() * vit.imageSize() * vit.channels();
    return Math.round(FLOAT * (floats * batchSize + 4.0 * parameters));
  }

  private static double block(ViT vit, int tokens, int width, int heads) {
    return (double) tokens * (kept(vit, width) + heads * tokens);
  }

  /**
   * Floats that an encoder block keeps of a token: two norms, qkv, attended, middle, the hidden
   * layer and its derivative, and the graph's own output and its gradient.
   */
  private static int kept(ViT vit, int width) {
    return (1 + 3 + 1 + 1 + 1 + 2) * width + 2 * vit.hidden(width);
  }

  /** The same of the working memory that all blocks of a width share. */
  private static int working(ViT vit, int width) {
    return (3 + 1 + 1) * width + vit.hidden(width);
  }
}
