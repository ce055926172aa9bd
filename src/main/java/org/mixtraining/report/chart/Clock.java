package org.mixtraining.report.chart;

/**
 * The unit of a time axis.
 *
 * @param seconds of one unit
 */
public record Clock(String unit, double seconds) {

  /** The unit that suits a time of up to {@code longest} seconds. */
  public static Clock upTo(double longest) {
    return longest < 300
        ? new Clock("s", 1)
        : longest < 18_000 ? new Clock("min", 60) : new Clock("h", 3600);
  }
}
