package org.mixtraining.config;

import java.io.Serializable;
import org.mixtraining.config.hocon.Settings;

/**
 * Checkpointing: a checkpoint after each {@code every} epochs, of which the {@code keep} newest are
 * kept.
 */
public record CheckpointConfig(int every, int keep) implements Serializable {

  static CheckpointConfig read(Settings settings) {
    return new CheckpointConfig(
        settings.whole("checkpoint.every", 1), settings.whole("checkpoint.keep", 1));
  }
}
