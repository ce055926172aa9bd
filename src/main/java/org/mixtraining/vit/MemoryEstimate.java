package org.mixtraining.vit;

import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.Architecture.Transformer;

/**
 * Memory outside the Java heap that a replica takes while it trains, by formula, in bytes: what its
 * layers keep from the forward to the backward pass, what they work in, and its parameters with
 * gradients and moments.
 */
public final class MemoryEstimate {

  private static final int FLOAT = Float.BYTES;

  /** Floats of a parameter: itself, its gradient, two moments, and once more in bfloat16. */
  private static final double STATE = 4.5;

  private MemoryEstimate() {}

  /**
   * Of a replica that trains.
   *
   * @param parameters of the blocks that the objective trains
   * @param batchSize images of a step
   * @param parts in which they are taken, their gradients summed
   */
  public static long training(
      ViT vit,
      Objective objective,
      EncoderInput encoderInput,
      long parameters,
      int batchSize,
      int parts) {
    double floats = 0;
    int longest = 0;
    if (encoderInput.selects()) {
      floats += blocks(vit.encoder(), vit.visibleTokens());
      longest = vit.visibleTokens();
    }
    if (encoderInput.covers()) {
      floats += blocks(vit.encoder(), vit.fullTokens());
      longest += vit.fullTokens();
    }
    floats += (double) working(vit.encoder()) * longest;
    if (objective != Objective.SL) {
      floats += blocks(vit.decoder(), vit.fullTokens());
      floats += (double) working(vit.decoder()) * vit.fullTokens();
      floats += 4.0 * vit.fullTokens() * (vit.decoder().dim() + vit.architecture().patchValues());
    }
    int atOnce = (batchSize + parts - 1) / parts;
    double state = parts == 1 ? STATE : STATE + 1; // the sum of the gradients
    return Math.round(
        FLOAT * (floats * atOnce + 4.0 * values(vit) * batchSize + state * parameters));
  }

  /** Of a replica that predicts; it has a graph with gradients and moments too. */
  public static long inference(ViT vit, long parameters, int batchSize) {
    Transformer encoder = vit.encoder();
    double floats =
        (double) (kept(encoder) + working(encoder)) * vit.fullTokens()
            + (double) encoder.heads() * vit.fullTokens() * vit.fullTokens()
            + 4.0 * values(vit);
    return Math.round(FLOAT * (floats * batchSize + STATE * parameters));
  }

  /** Values of an image. */
  private static long values(ViT vit) {
    return (long) vit.patches() * vit.architecture().patchValues();
  }

  private static double blocks(Transformer stack, int tokens) {
    return (double) stack.depth() * tokens * (kept(stack) + stack.heads() * tokens);
  }

  /**
   * Floats that an encoder block keeps of a token: two norms, qkv, attended, middle, the hidden
   * layer and its derivative, and the graph's own output and its gradient.
   */
  private static int kept(Transformer stack) {
    return (1 + 3 + 1 + 1 + 1 + 2) * stack.dim() + 2 * stack.hidden();
  }

  /**
   * The same of the working memory that all blocks of a width share, with the two factors of the
   * largest product in bfloat16.
   */
  private static int working(Transformer stack) {
    return (3 + 1 + 1) * stack.dim() + stack.hidden() + (stack.dim() + stack.hidden()) / 2;
  }
}
