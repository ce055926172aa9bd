package org.mixtraining.report.chart;

/**
 * A linear scale from values to pixels.
 *
 * @param from coordinate of the range's low end, in pixels
 * @param to that of its high end; less than {@code from} on an axis that points up
 */
record Scale(Range range, double from, double to) {

  double at(double value) {
    return from + (value - range.low()) / (range.high() - range.low()) * (to - from);
  }
}
