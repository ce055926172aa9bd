package org.mixtraining.report.chart;

import java.util.function.DoubleFunction;

/**
 * The axes of a chart: grid lines, tick labels and titles.
 *
 * @param x from left to right
 * @param y from the bottom up
 * @param xTitle with its unit
 * @param yTitle with its unit; stands above the axis
 */
record Axes(Frame frame, Scale x, Scale y, String xTitle, String yTitle) {

  Svg draw(DoubleFunction<String> xNumber, DoubleFunction<String> yNumber) {
    Svg axes = Svg.group("axes");
    for (double tick : y.range().ticks(5)) {
      double at = y.at(tick);
      axes.with(
          Svg.line("grid", frame.left(), at, frame.right(), at),
          Svg.text("number end", frame.left() - 7, at + 4, yNumber.apply(tick)));
    }
    for (double tick : x.range().ticks(frame.ticks)) {
      double at = x.at(tick);
      axes.with(
          Svg.line("tick", at, frame.bottom(), at, frame.bottom() + 4),
          Svg.text(
              at > frame.right() - 12 ? "number end" : "number middle",
              Math.min(at + (at > frame.right() - 12 ? 8 : 0), frame.width - 1),
              frame.bottom() + 17,
              xNumber.apply(tick)));
    }
    return axes.with(
        Svg.line("base", frame.left(), frame.bottom(), frame.right(), frame.bottom()),
        Svg.text("title end", frame.right(), frame.height - 5, xTitle),
        Svg.text("title", 2, 13, yTitle));
  }
}
