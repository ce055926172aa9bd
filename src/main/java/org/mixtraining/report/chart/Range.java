package org.mixtraining.report.chart;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.DoubleStream;

/** The range of values that an axis shows. */
record Range(double low, double high) {

  /** The smallest range that contains every value; 0 to 1 if there are none. */
  static Range of(DoubleStream values) {
    var statistics = values.filter(Double::isFinite).summaryStatistics();
    return statistics.getCount() == 0
        ? new Range(0, 1)
        : new Range(statistics.getMin(), statistics.getMax());
  }

  /** This range extended to zero. */
  Range fromZero() {
    return new Range(Math.min(0, low), Math.max(0, high));
  }

  /** This range extended to round numbers, with about {@code steps} of them within. */
  Range rounded(int steps) {
    double low = this.low;
    double high = this.high;
    if (high - low <= 1e-12 * Math.max(1, Math.abs(high))) {
      double margin = high == 0 ? 1 : Math.abs(high) / 10;
      low -= low == 0 ? 0 : margin;
      high += margin;
    }
    double step = step(high - low, steps);
    return new Range(step * Math.floor(low / step + 1e-9), step * Math.ceil(high / step - 1e-9));
  }

  /** About {@code about} round numbers within. */
  List<Double> ticks(int about) {
    double step = step(high - low, about);
    List<Double> ticks = new ArrayList<>();
    long last = (long) Math.floor(high / step + 1e-9);
    for (long i = (long) Math.ceil(low / step - 1e-9); i <= last; i++) {
      ticks.add(i * step);
    }
    return ticks;
  }

  /**
   * The smallest of 1, 2 and 5 times a power of ten that fits at most {@code times} times into a
   * span.
   */
  private static double step(double span, int times) {
    double power = Math.pow(10, Math.floor(Math.log10(span / times)));
    double least = span / times / power;
    return (least <= 1 ? 1 : least <= 2 ? 2 : least <= 5 ? 5 : 10) * power;
  }
}
