package org.mixtraining.config;

import org.mixtraining.config.hocon.Settings;

/** The order of objectives in a run. */
public enum Pipeline {
  /** Supervised only. */
  SL,
  /** Pre-training, then fine-tuning. */
  SSL_SL,
  /** The two with a MIX phase between them: MixTraining. */
  MIX,
  /** Both losses in every step, from the first epoch to the last (arXiv 2310.20704). */
  SSAT;

  static Pipeline read(Settings settings) {
    return settings.choice("pipeline", Pipeline.class);
  }
}
