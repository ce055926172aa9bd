package org.mixtraining.config;

import java.io.Serializable;

/**
 * What is kept to go on from: a checkpoint after each {@code every} epochs, the {@code keep} newest
 * of them.
 */
public record CheckpointConfig(int every, int keep) implements Serializable {

  static CheckpointConfig read(Settings settings) {
    return new CheckpointConfig(
        settings.whole("checkpoint.every", 1), settings.whole("checkpoint.keep", 1));
  }
}
