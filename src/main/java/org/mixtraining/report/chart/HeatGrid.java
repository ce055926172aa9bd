package org.mixtraining.report.chart;

import static j2html.TagCreator.caption;
import static j2html.TagCreator.each;
import static j2html.TagCreator.span;
import static j2html.TagCreator.table;
import static j2html.TagCreator.tbody;
import static j2html.TagCreator.td;
import static j2html.TagCreator.th;
import static j2html.TagCreator.thead;
import static j2html.TagCreator.tr;

import j2html.tags.DomContent;
import j2html.tags.specialized.DivTag;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A heat map: a matrix of numbers, coloured by value.
 *
 * @param corner names of rows and columns
 */
public record HeatGrid(String about, String corner, List<String> columns, List<HeatGrid.Row> rows) {

  public record Row(String name, List<Cell> cells) {}

  /**
   * @param heat from 0 to 1
   * @param detail its meaning as a sentence
   * @param outlined whether it is highlighted
   */
  public record Cell(String text, double heat, String detail, boolean outlined) {

    /** An empty cell. */
    public static final Cell EMPTY = new Cell("", 0, "", false);
  }

  public DivTag html() {
    return Grid.scrolling(
        about,
        table(
                caption(about).withClass("unseen"),
                thead(
                    tr(
                        th(corner).attr("scope", "col").withClass("corner"),
                        each(
                            columns,
                            column -> th(span(column)).attr("scope", "col").withTitle(column)))),
                tbody(each(rows, HeatGrid::row)))
            .withClasses("heat", names() ? "names" : "numbers"));
  }

  /** Whether its columns have names that are too long to stand side by side. */
  private boolean names() {
    return columns.stream().anyMatch(column -> column.length() > 5);
  }

  private static DomContent row(Row row) {
    return tr(
        th(row.name).attr("scope", "row"),
        each(IntStream.range(0, row.cells.size()).mapToObj(i -> cell(row.cells.get(i)))));
  }

  private static DomContent cell(Cell cell) {
    String classes = (cell.heat > 0.55 ? "hot" : "") + (cell.outlined ? " outlined" : "");
    return td(cell.text)
        .withCondClass(!classes.isBlank(), classes.strip())
        .withStyle("--level:" + Numbers.digits(cell.heat, 3))
        .withCondTitle(!cell.detail.isEmpty(), cell.detail);
  }
}
