package org.mixtraining.config;

import java.io.Serializable;
import org.mixtraining.config.hocon.Settings;

/**
 * Averaging of the replicas after each epoch: where they are averaged, and the outer step along the
 * average of their updates, its rate and its Nesterov momentum. With 1 and 0 it is the plain
 * average.
 */
public record AveragingConfig(Exchange exchange, double outerLr, double outerMomentum)
    implements Serializable {

  /** Where states are averaged: on the driver, or slice by slice between the executors. */
  public enum Exchange {
    AUTO,
    DRIVER,
    SHUFFLE
  }

  static AveragingConfig read(Settings settings) {
    return new AveragingConfig(
        settings.choice("averaging.exchange", Exchange.class),
        settings.number("averaging.outer-lr", v -> v > 0, "above 0"),
        settings.number("averaging.outer-momentum", v -> 0 <= v && v < 1, "in [0, 1)"));
  }
}
