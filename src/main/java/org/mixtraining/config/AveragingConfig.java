package org.mixtraining.config;

import java.io.Serializable;
import org.mixtraining.config.hocon.Settings;

/**
 * Averaging of the replicas: where they are averaged, how often in an epoch, and the outer step
 * along the average of an epoch's updates, its rate and its Nesterov momentum. With 1 and 0 it is
 * the plain average.
 */
public record AveragingConfig(
    Exchange exchange, Rounds rounds, double outerLr, double outerMomentum)
    implements Serializable {

  /**
   * Averages in an epoch.
   *
   * @param number of them; {@link #AUTO} where the job chooses
   */
  public record Rounds(int number) implements Serializable {
    /** As many as {@code org.mixtraining.schedule.Rounds} finds best. */
    public static final int AUTO = 0;

    private static final String WORD = "auto";

    static Rounds parse(String text) {
      if (text.equals(WORD)) {
        return new Rounds(AUTO);
      }
      int number = Integer.parseInt(text);
      if (number < 1) {
        throw new IllegalArgumentException(text);
      }
      return new Rounds(number);
    }

    /** As it stands in a configuration. */
    public Object value() {
      return number == AUTO ? WORD : (Object) number;
    }
  }

  /**
   * Where states are averaged: on the driver, or slice by slice between the executors, which keep
   * the average in their blocks or pass it through a shuffle to the driver.
   */
  public enum Exchange {
    AUTO,
    DRIVER,
    BLOCKS,
    SHUFFLE
  }

  static AveragingConfig read(Settings settings) {
    return new AveragingConfig(
        settings.choice("averaging.exchange", Exchange.class),
        settings.read(
            "averaging.rounds",
            Rounds::parse,
            rounds -> true,
            "auto, or a whole number of at least 1"),
        settings.number("averaging.outer-lr", v -> v > 0, "above 0"),
        settings.number("averaging.outer-momentum", v -> 0 <= v && v < 1, "in [0, 1)"));
  }
}
