package org.mixtraining.report;

import static j2html.TagCreator.caption;
import static j2html.TagCreator.details;
import static j2html.TagCreator.div;
import static j2html.TagCreator.each;
import static j2html.TagCreator.p;
import static j2html.TagCreator.summary;
import static j2html.TagCreator.table;
import static j2html.TagCreator.tbody;
import static j2html.TagCreator.td;
import static j2html.TagCreator.th;
import static j2html.TagCreator.thead;
import static j2html.TagCreator.tr;

import j2html.tags.DomContent;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.mixtraining.report.chart.Grid;
import org.mixtraining.report.chart.Numbers;
import org.mixtraining.results.ClassRow;

/** The section about the accuracy of each class. */
final class ClassAccuracy {
  private static final String TITLE = "Accuracy by class";

  /**
   * Number of best and of worst classes that are shown first, if there are more than twice as many.
   */
  private static final int SHOWN = 10;

  /** More are not listed. */
  private static final int ALL = 1000;

  private ClassAccuracy() {}

  static Section of(RunFacts facts) {
    if (facts.classes().isEmpty()) {
      return Section.missing(
          "classes", TITLE, "No epoch of this run was evaluated on test images.");
    }
    Map<String, List<ClassRow>> tasks =
        facts.classes().stream()
            .collect(
                Collectors.groupingBy(ClassRow::task, LinkedHashMap::new, Collectors.toList()));
    List<DomContent> cards = new ArrayList<>();
    tasks.forEach((task, rows) -> cards.add(card(tasks.size() == 1 ? "" : task + ": ", rows)));
    return Section.of("classes", TITLE, cards);
  }

  private static DomContent card(String task, List<ClassRow> rows) {
    List<ClassRow> sorted =
        rows.stream().sorted(Comparator.comparingDouble(ClassRow::accuracy).reversed()).toList();
    ClassRow best = sorted.get(0);
    ClassRow worst = sorted.get(sorted.size() - 1);
    String message =
        "Test images after epoch %s. Best is %s with %s, worst %s with %s."
            .formatted(
                best.epoch(),
                best.name(),
                Numbers.percent(best.accuracy()),
                worst.name(),
                Numbers.percent(worst.accuracy()));
    if (sorted.size() <= 2 * SHOWN) {
      return Card.of(task + "Test images by class", message, bars("Accuracy by class", sorted));
    }
    return Card.of(
        task + "Test images by class",
        message,
        Card.side(
            bars("The %s best classes".formatted(SHOWN), sorted.subList(0, SHOWN)),
            bars(
                "The %s worst classes".formatted(SHOWN),
                sorted.subList(sorted.size() - SHOWN, sorted.size()))),
        sorted.size() <= ALL
            ? details(
                summary("All %s classes".formatted(sorted.size())),
                bars("Accuracy by class", sorted))
            : p(
                "All %s classes would make this page large; query the result table named classes for them (submit/mixtraining sql)."
                    .formatted(sorted.size())));
  }

  private static DomContent bars(String name, List<ClassRow> rows) {
    return Grid.scrolling(
        name,
        table(
                caption(name).withCondClass(!name.startsWith("The"), "unseen"),
                thead(
                    tr(
                        th("class").attr("scope", "col"),
                        th("").attr("aria-hidden", "true"),
                        number("correct"),
                        number("in the top 5"),
                        number("images"))),
                tbody(each(rows, ClassAccuracy::row)))
            .withClass("bars"));
  }

  private static DomContent row(ClassRow row) {
    return tr(
        th(row.name()).attr("scope", "row"),
        td(div().withClass("bar").withStyle("--share:" + Numbers.digits(row.accuracy(), 3)))
            .attr("aria-hidden", "true"),
        td(Numbers.percent(row.accuracy())).withClass("number"),
        td(Numbers.percent(row.top5Accuracy())).withClass("number"),
        td(Numbers.count(row.images())).withClass("number"));
  }

  private static DomContent number(String name) {
    return th(name).attr("scope", "col").withClass("number");
  }
}
