package org.mixtraining.report.chart;

import java.util.Locale;

/** The style of one of several series: a shape along with its colour and its dashes. */
public enum Mark {
  CIRCLE("M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z"),
  SQUARE("M-3.6 -3.6h7.2v7.2h-7.2z"),
  TRIANGLE("M0 -4.8L4.6 3.6H-4.6z"),
  DIAMOND("M0 -5.2L5.2 0L0 5.2L-5.2 0z"),
  CROSS(
      "M-4.2 -2.2L-2.2 -4.2L0 -2L2.2 -4.2L4.2 -2.2L2 0L4.2 2.2L2.2 4.2L0 2L-2.2 4.2L-4.2 2.2L-2 0z"),
  STAR("M0 -5.4L1.4 -1.8L5.2 -1.7L2.2 .7L3.2 4.4L0 2.2L-3.2 4.4L-2.2 .7L-5.2 -1.7L-1.4 -1.8z");

  private final String shape;

  Mark(String shape) {
    this.shape = shape;
  }

  /** The n-th style, from 0, cyclically. */
  public static Mark of(int n) {
    return values()[n % values().length];
  }

  /** The CSS class for colour and dashes. */
  public String style() {
    return "s" + ordinal();
  }

  Svg at(double x, double y) {
    return Svg.path("mark " + style(), shape)
        .attr(
            "transform",
            "translate(%s %s)".formatted(Numbers.coordinate(x), Numbers.coordinate(y)));
  }

  /** The line with the shape on it, for a legend. */
  Svg onLine() {
    return sample("sample", 30).with(Svg.line("line " + style(), 1, 7, 29, 7), at(15, 7));
  }

  /** The shape alone, for a legend. */
  Svg alone() {
    return sample("sign", 14).with(at(7, 7));
  }

  /** An empty drawing for a legend. */
  static Svg sample(String name, int width) {
    return Svg.of("svg")
        .withClass(name)
        .attr("viewBox", "0 0 %s 14".formatted(width))
        .attr("aria-hidden", "true");
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
