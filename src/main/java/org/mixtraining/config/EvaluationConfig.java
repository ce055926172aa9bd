package org.mixtraining.config;

import java.io.Serializable;
import org.mixtraining.config.hocon.Settings;

/**
 * Evaluation of a run on validation and test images: after each {@code every} epochs of those that
 * train a head, counted back from the last.
 */
public record EvaluationConfig(int every) implements Serializable {

  static EvaluationConfig read(Settings settings) {
    return new EvaluationConfig(settings.whole("evaluation.every", 1));
  }
}
