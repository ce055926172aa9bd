package org.mixtraining.report;

import static j2html.TagCreator.div;
import static j2html.TagCreator.each;
import static j2html.TagCreator.h1;
import static j2html.TagCreator.p;
import static j2html.TagCreator.span;

import j2html.tags.DomContent;
import java.util.List;
import org.mixtraining.config.KebabCase;
import org.mixtraining.results.RunRow.Status;

/** The header of a report: title, status and key figures. */
final class ReportHeader {

  private ReportHeader() {}

  /** A key figure with its explanation. */
  record Tile(String name, String figure, String detail) {}

  static List<DomContent> of(
      String kind, String title, DomContent status, List<String> lead, List<Tile> tiles) {
    return List.of(
        p("MixTraining " + kind).withClass("kind"),
        div(h1(title), status).withClass("name"),
        each(lead, sentence -> p(sentence).withClass("lead")),
        div(each(tiles, ReportHeader::tile)).withClass("tiles"));
  }

  /** A status as a symbol and a word. */
  static DomContent status(Status status) {
    String sign =
        switch (status) {
          case FINISHED -> "✓";
          case RUNNING -> "▶";
          case INTERRUPTED -> "❙❙";
          case FAILED -> "✗";
        };
    return span(span(sign + " ").attr("aria-hidden", "true"), span(KebabCase.of(status)))
        .withClasses("status", KebabCase.of(status));
  }

  private static DomContent tile(Tile tile) {
    return div(
            p(tile.name).withClass("tile-name"),
            p(tile.figure).withClass("tile-figure"),
            p(tile.detail).withClass("tile-detail"))
        .withClass("tile");
  }
}
