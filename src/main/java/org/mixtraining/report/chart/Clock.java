package org.mixtraining.report.chart;

/**
 * What an axis of time counts in.
 *
 * @param seconds of one unit
 */
public record Clock(String unit, double seconds) {

  /** The unit in which some seconds are a number that is easily read. */
  public static Clock upTo(double longest) {
    return longest < 300
        ? new Clock("s", 1)
        : longest < 18_000 ? new Clock("min", 60) : new Clock("h", 3600);
  }
}
