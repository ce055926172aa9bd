package org.mixtraining.schedule;

import org.mixtraining.config.MixConfig.MixPass;

/** The tokens of an image that pass through the encoder. */
public enum EncoderInput {
  /** Every patch: supervised training and inference. */
  FULL,
  /**
   * The visible patches only: masked autoencoding, JOINT with {@code mix.pass = visible}, and SL
   * with {@code augment.patch-dropout} above 0.
   */
  VISIBLE,
  /** Every position, with a mask token at each masked one: {@code mix.pass = corrupted}. */
  CORRUPTED,
  /** Two sequences an image, the visible patches and every patch: {@code mix.pass = two-pass}. */
  BOTH;

  /** What the encoder sees in a step of the given objective, if SL is not masked. */
  public static EncoderInput of(Objective objective, MixPass pass) {
    return switch (objective) {
      case SL -> FULL;
      case SSL -> VISIBLE;
      case JOINT ->
          switch (pass) {
            case VISIBLE -> VISIBLE;
            case CORRUPTED -> CORRUPTED;
            case TWO_PASS -> BOTH;
          };
    };
  }

  /** The pass of a JOINT step that sees this. */
  public MixPass pass() {
    return switch (this) {
      case FULL -> throw new IllegalStateException("a JOINT step masks patches");
      case VISIBLE -> MixPass.VISIBLE;
      case CORRUPTED -> MixPass.CORRUPTED;
      case BOTH -> MixPass.TWO_PASS;
    };
  }

  /** Whether there is a sequence of the visible patches alone. */
  public boolean selects() {
    return this == VISIBLE || this == BOTH;
  }

  /** Whether there is a sequence with a token for every patch. */
  public boolean covers() {
    return this != VISIBLE;
  }
}
