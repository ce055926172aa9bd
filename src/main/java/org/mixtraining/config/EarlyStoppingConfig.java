package org.mixtraining.config;

import java.io.Serializable;
import org.mixtraining.config.hocon.Settings;

/**
 * Early stopping of a run: after {@code patience} epochs of its last phase without a better
 * validation accuracy, 0 is never; and then {@code cooldown} epochs more, in which the learning
 * rate falls to its end.
 */
public record EarlyStoppingConfig(int patience, int cooldown) implements Serializable {

  /** Where it is not said, a run cools down as long as it has waited. */
  static EarlyStoppingConfig read(Settings settings) {
    int patience = settings.whole("early-stopping.patience", 0);
    settings.byDefault("early-stopping.cooldown", patience);
    return new EarlyStoppingConfig(patience, settings.whole("early-stopping.cooldown", 0));
  }
}
