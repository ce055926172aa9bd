package org.mixtraining.config;

import java.io.Serializable;
import org.mixtraining.config.hocon.Settings;

/**
 * Evaluation of a run on validation and test images: after each {@code every} epochs of those that
 * train a head, counted back from the last.
 *
 * @param crop share of an image's side that is scored: the centre, scaled to the image's size
 */
public record EvaluationConfig(int every, double crop) implements Serializable {

  static EvaluationConfig read(Settings settings) {
    return new EvaluationConfig(
        settings.whole("evaluation.every", 1),
        settings.number("evaluation.crop", v -> 0 < v && v <= 1, "in (0, 1]"));
  }
}
