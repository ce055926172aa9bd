package org.mixtraining.config;

import java.io.Serializable;

/**
 * The model that a run begins from.
 *
 * @param model its file; empty: random weights
 */
public record InitConfig(String model, InitParts parts) implements Serializable {

  /** What a run takes of the model that it begins from; the rest begins with random weights. */
  public enum InitParts {
    /** For other classes: the heads are new. */
    ENCODER,
    /** To go on classifying. */
    ENCODER_HEADS,
    /** To go on reconstructing. */
    ENCODER_DECODER,
    ALL
  }

  static InitConfig read(Settings settings) {
    return new InitConfig(
        settings.place("init.model", "a file, or empty"),
        settings.choice("init.parts", InitParts.class));
  }
}
