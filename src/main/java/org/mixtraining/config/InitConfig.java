package org.mixtraining.config;

import java.io.Serializable;
import org.mixtraining.config.hocon.Settings;

/**
 * The model that a run is initialised with.
 *
 * @param model its file; empty: random weights
 */
public record InitConfig(String model, InitParts parts) implements Serializable {

  /** The parts of the model that a run is initialised with; the rest starts with random weights. */
  public enum InitParts {
    /** For other classes: the heads are new. */
    ENCODER,
    /** To continue classification. */
    ENCODER_HEADS,
    /** To continue masked autoencoding. */
    ENCODER_DECODER,
    ALL
  }

  static InitConfig read(Settings settings) {
    return new InitConfig(
        settings.place("init.model", "a file, or empty"),
        settings.choice("init.parts", InitParts.class));
  }
}
