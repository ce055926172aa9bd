package org.mixtraining.report.chart;

import j2html.tags.ContainerTag;

/** An SVG element. Its texts and attributes are escaped when it is rendered. */
final class Svg extends ContainerTag<Svg> {

  private Svg(String name) {
    super(name);
  }

  static Svg of(String name) {
    return new Svg(name);
  }

  static Svg group(String classes) {
    return of("g").withClass(classes);
  }

  static Svg line(String classes, double x1, double y1, double x2, double y2) {
    return of("line").withClass(classes).at("x1", x1).at("y1", y1).at("x2", x2).at("y2", y2);
  }

  static Svg rect(String classes, double x, double y, double width, double height) {
    return of("rect")
        .withClass(classes)
        .at("x", x)
        .at("y", y)
        .at("width", Math.max(0, width))
        .at("height", Math.max(0, height));
  }

  static Svg path(String classes, String data) {
    return of("path").withClass(classes).attr("d", data);
  }

  static Svg text(String classes, double x, double y, String text) {
    return of("text").withClass(classes).at("x", x).at("y", y).withText(text);
  }

  /** Adds a tooltip. */
  Svg titled(String text) {
    return with(of("title").withText(text));
  }

  /** A coordinate or a length. */
  Svg at(String name, double pixels) {
    return attr(name, Numbers.coordinate(pixels));
  }
}
