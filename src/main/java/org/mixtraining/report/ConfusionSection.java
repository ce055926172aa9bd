package org.mixtraining.report;

import j2html.tags.DomContent;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.mixtraining.config.KebabCase;
import org.mixtraining.report.RunFacts.Taken;
import org.mixtraining.report.chart.Grid;
import org.mixtraining.report.chart.HeatGrid;
import org.mixtraining.report.chart.HeatGrid.Cell;
import org.mixtraining.report.chart.HeatGrid.Row;
import org.mixtraining.report.chart.Numbers;
import org.mixtraining.results.RunRow.Status;

/** The section of confusions: the confusion matrix and the most frequent mistakes. */
final class ConfusionSection {
  private static final String TITLE = "Confusion";

  /** Largest number of classes whose matrix is readable. */
  private static final int CLASSES = 25;

  /** Largest number of classes whose matrix leaves room beside it. */
  private static final int BESIDE = 10;

  private static final int PAIRS = 12;

  private ConfusionSection() {}

  static Section of(RunFacts facts) {
    if (facts.confusion().isEmpty()) {
      return Section.missing("confusion", TITLE, missing(facts));
    }
    Map<String, List<Taken>> tasks =
        facts.confusion().stream()
            .collect(Collectors.groupingBy(Taken::task, LinkedHashMap::new, Collectors.toList()));
    List<DomContent> cards = new ArrayList<>();
    tasks.forEach(
        (task, taken) -> {
          String prefix = tasks.size() == 1 ? "" : task + ": ";
          Map<Integer, String> classes = classes(taken);
          DomContent pairs = pairs(prefix, taken, classes.size());
          if (classes.size() <= BESIDE) {
            cards.add(Card.side(matrix(prefix, taken, classes), pairs));
          } else if (classes.size() <= CLASSES) {
            cards.addAll(List.of(matrix(prefix, taken, classes), pairs));
          } else {
            cards.add(pairs);
          }
        });
    return Section.of("confusion", TITLE, cards);
  }

  /** The reason why a run has no predictions. */
  static String missing(RunFacts facts) {
    return facts.run().status() == Status.FINISHED
        ? "This run has no predictions: its dataset has no test images, or it was trained by an older version."
        : "Test images are predicted when a run finishes, and this one is %s."
            .formatted(KebabCase.of(facts.run().status()));
  }

  private static Map<Integer, String> classes(List<Taken> taken) {
    Map<Integer, String> classes = new TreeMap<>();
    for (Taken cell : taken) {
      classes.put(cell.label(), cell.labelName());
      classes.put(cell.predicted(), cell.predictedName());
    }
    return classes;
  }

  private static DomContent matrix(String prefix, List<Taken> taken, Map<Integer, String> classes) {
    Map<List<Integer>, Taken> cells =
        taken.stream().collect(Collectors.toMap(c -> List.of(c.label(), c.predicted()), c -> c));
    List<Row> rows =
        classes.entrySet().stream()
            .map(
                label ->
                    new Row(
                        label.getValue(),
                        classes.keySet().stream()
                            .map(predicted -> cell(cells.get(List.of(label.getKey(), predicted))))
                            .toList()))
            .toList();
    return Card.of(
        prefix + "Confusion matrix",
        "Each row is a class of test images: the percentage predicted as each class. Correct predictions are on the outlined diagonal.",
        new HeatGrid(
                "Confusion matrix in percent of each row",
                "label \\ predicted",
                List.copyOf(classes.values()),
                rows)
            .html());
  }

  private static Cell cell(Taken taken) {
    return taken == null
        ? Cell.EMPTY
        : new Cell(
            String.valueOf(Math.round(100 * taken.share())),
            taken.share(),
            "%s predicted as %s: %s images, %s"
                .formatted(
                    taken.labelName(),
                    taken.predictedName(),
                    taken.images(),
                    Numbers.percent(taken.share())),
            taken.right());
  }

  private static DomContent pairs(String prefix, List<Taken> taken, int classes) {
    List<Taken> wrong =
        taken.stream()
            .filter(cell -> !cell.right())
            .sorted(Comparator.comparingLong(Taken::images).reversed())
            .limit(PAIRS)
            .toList();
    return Card.of(
        prefix + "Most frequent confusions",
        classes <= CLASSES
            ? ""
            : "A matrix of %s classes would be unreadable; query the view named confusion for all of it (submit/mixtraining sql)."
                .formatted(classes),
        Grid.html(
            "Most frequent confusions",
            wrong,
            Grid.name("is", Taken::labelName),
            Grid.name("predicted as", Taken::predictedName),
            Grid.number("images", cell -> Numbers.count(cell.images())),
            Grid.number("of its class", cell -> Numbers.percent(cell.share()))));
  }
}
