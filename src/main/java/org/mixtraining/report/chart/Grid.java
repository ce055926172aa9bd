package org.mixtraining.report.chart;

import static j2html.TagCreator.caption;
import static j2html.TagCreator.div;
import static j2html.TagCreator.each;
import static j2html.TagCreator.table;
import static j2html.TagCreator.tbody;
import static j2html.TagCreator.td;
import static j2html.TagCreator.th;
import static j2html.TagCreator.thead;
import static j2html.TagCreator.tr;

import j2html.tags.DomContent;
import j2html.tags.specialized.DivTag;
import java.util.List;
import java.util.function.Function;

/**
 * A table of numbers and names; the first column names the row. If it is wider than the page it
 * scrolls on its own, by keyboard too.
 *
 * @param about what the table holds, for screen readers
 */
public record Grid<R>(String about, List<Grid.Column<R>> columns, List<R> rows) {

  /** A column: its name and the text of its cells. */
  public record Column<R>(String name, boolean number, Function<R, String> text) {}

  public static <R> Column<R> name(String name, Function<R, String> text) {
    return new Column<>(name, false, text);
  }

  public static <R> Column<R> number(String name, Function<R, String> text) {
    return new Column<>(name, true, text);
  }

  @SafeVarargs
  public static <R> Grid<R> of(String about, List<R> rows, Column<R>... columns) {
    return new Grid<>(about, List.of(columns), rows);
  }

  /** The same as HTML. */
  @SafeVarargs
  public static <R> DivTag html(String about, List<R> rows, Column<R>... columns) {
    return of(about, rows, columns).html();
  }

  public DivTag html() {
    return scrolling(
        about,
        table(
            caption(about).withClass("unseen"),
            thead(
                tr(
                    each(
                        columns,
                        column ->
                            th(column.name)
                                .attr("scope", "col")
                                .withCondClass(column.number, "number")))),
            tbody(each(rows, this::row))));
  }

  /** A scrolling container for content that is wider than a phone. */
  public static DivTag scrolling(String name, DomContent wide) {
    return div(wide)
        .withClass("scroll")
        .attr("role", "region")
        .attr("aria-label", name)
        .withTabindex(0);
  }

  private DomContent row(R row) {
    return tr(
        each(
            columns,
            (i, column) ->
                i == 0
                    ? th(column.text.apply(row))
                        .attr("scope", "row")
                        .withCondClass(column.number, "number")
                    : td(column.text.apply(row)).withCondClass(column.number, "number")));
  }
}
