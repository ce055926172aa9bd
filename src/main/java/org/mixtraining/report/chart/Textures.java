package org.mixtraining.report.chart;

/**
 * Fill patterns that distinguish areas without colours. A page defines them once, and its style
 * sheet uses them.
 */
public final class Textures {

  private Textures() {}

  public static Svg definitions() {
    return Svg.of("svg")
        .withClass("textures")
        .attr("aria-hidden", "true")
        .attr("width", 0)
        .attr("height", 0)
        .with(
            Svg.of("defs")
                .with(
                    pattern("hatch", 7, Svg.line("", 0, 0, 0, 7))
                        .attr("patternTransform", "rotate(45)"),
                    pattern("upright", 4, Svg.line("", 2, 0, 2, 4)),
                    pattern("level", 4, Svg.line("", 0, 2, 4, 2)),
                    pattern("dotted", 5, Svg.rect("", 1, 1, 1.5, 1.5)),
                    pattern("slanted", 5, Svg.line("", 0, 0, 0, 5))
                        .attr("patternTransform", "rotate(-45)")));
  }

  private static Svg pattern(String id, int side, Svg content) {
    return Svg.of("pattern")
        .withId(id)
        .attr("patternUnits", "userSpaceOnUse")
        .attr("width", side)
        .attr("height", side)
        .with(content);
  }
}
