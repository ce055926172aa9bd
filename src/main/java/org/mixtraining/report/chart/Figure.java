package org.mixtraining.report.chart;

import static j2html.TagCreator.details;
import static j2html.TagCreator.div;
import static j2html.TagCreator.each;
import static j2html.TagCreator.figcaption;
import static j2html.TagCreator.figure;
import static j2html.TagCreator.h3;
import static j2html.TagCreator.li;
import static j2html.TagCreator.p;
import static j2html.TagCreator.summary;
import static j2html.TagCreator.text;
import static j2html.TagCreator.ul;

import j2html.tags.DomContent;

/**
 * A figure: a chart with its title, a sentence that says what it shows, its legend, and its numbers
 * as a table.
 *
 * @param id of the figure on its page
 * @param message what the chart shows, as the text below its title and for screen readers
 */
public record Figure(String id, String title, String message, Chart chart, Grid<?> numbers) {

  public DomContent html() {
    return figure(
            figcaption(h3(title).withId(id + "-title"), p(message).withId(id + "-message")),
            ul(each(chart.legend(), key -> li(key.sample(), text(key.name())))).withClass("legend"),
            div(drawing(Frame.WIDE), drawing(Frame.NARROW)).withClass("drawing"),
            details(summary("The numbers"), numbers.html()))
        .withId(id)
        .withClass("card");
  }

  private Svg drawing(Frame frame) {
    return Svg.of("svg")
        .withClass(frame == Frame.WIDE ? "wide" : "narrow")
        .attr("viewBox", "0 0 %s %s".formatted(frame.width, frame.height))
        .attr("role", "img")
        .attr("aria-labelledby", id + "-title")
        .attr("aria-describedby", id + "-message")
        .with(chart.draw(frame));
  }
}
