package org.mixtraining.vit;

import org.mixtraining.config.JobConfig.MixPass;
import org.mixtraining.schedule.Objective;

/** Which tokens of an image pass through the encoder. */
public enum Sight {
  /** Every patch: supervised training and inference. */
  FULL,
  /** The visible patches only: masked autoencoding, and JOINT with {@code mix.pass = visible}. */
  VISIBLE,
  /** Two sequences an image, the visible patches and every patch: {@code mix.pass = two-pass}. */
  BOTH;

  /** What the encoder sees in a step of the given objective. */
  public static Sight of(Objective objective, MixPass pass) {
    return switch (objective) {
      case SL -> FULL;
      case SSL -> VISIBLE;
      case JOINT -> pass == MixPass.TWO_PASS ? BOTH : VISIBLE;
    };
  }

  boolean masked() {
    return this != FULL;
  }
}
