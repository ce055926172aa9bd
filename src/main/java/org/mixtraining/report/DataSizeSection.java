package org.mixtraining.report;

import j2html.tags.DomContent;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.mixtraining.report.ComparisonFacts.ArmResult;
import org.mixtraining.report.chart.Figure;
import org.mixtraining.report.chart.Grid;
import org.mixtraining.report.chart.LineChart;
import org.mixtraining.report.chart.LineChart.Line;
import org.mixtraining.report.chart.LineChart.Point;
import org.mixtraining.report.chart.Mark;
import org.mixtraining.report.chart.Numbers;
import org.mixtraining.report.chart.PhaseShading;

/** The section about accuracy by the number of labelled images. */
final class DataSizeSection {
  private static final String TITLE = "With less data";

  private DataSizeSection() {}

  static Section of(ComparisonFacts facts) {
    List<DomContent> figures = new ArrayList<>();
    List<String> datasets =
        facts.places().stream().map(place -> place.dataset()).distinct().toList();
    for (int i = 0; i < datasets.size(); i++) {
      String dataset = datasets.get(i);
      List<ArmResult> results =
          facts.arms().stream()
              .filter(arm -> arm.place().dataset().equals(dataset) && arm.accuracy() != null)
              .sorted(Comparator.comparingDouble(DataSizeSection::labelled))
              .toList();
      if (results.stream().mapToDouble(DataSizeSection::labelled).distinct().count() > 1) {
        figures.add(figure("data-" + i, dataset, results, facts));
      }
    }
    return figures.isEmpty()
        ? Section.missing(
            "data",
            TITLE,
            "The comparison has finished runs with one share of labelled images only.")
        : Section.of("data", TITLE, Card.side(figures));
  }

  /** Share of the training images that are used with their labels, in percent. */
  private static double labelled(ArmResult result) {
    return 100 * result.place().fraction() * result.place().labelFraction();
  }

  private static DomContent figure(
      String id, String dataset, List<ArmResult> results, ComparisonFacts facts) {
    List<Line> lines =
        facts.armNames().stream()
            .map(
                arm ->
                    new Line(
                        arm,
                        Mark.of(facts.armNames().indexOf(arm)),
                        results.stream()
                            .filter(result -> result.arm().equals(arm))
                            .map(result -> new Point(labelled(result), result.accuracy()))
                            .toList()))
            .filter(line -> !line.points().isEmpty())
            .toList();
    return new Figure(
            id,
            dataset,
            "Test accuracy by the share of the training images that are used with their labels, means over seeds.",
            new LineChart(
                "labelled images, %",
                "test accuracy", Numbers::share, lines, new PhaseShading(List.of()), null),
            Grid.of(
                dataset,
                results,
                Grid.<ArmResult>number("labelled images", r -> Numbers.percent(labelled(r) / 100)),
                Grid.name("arm", ArmResult::arm),
                Grid.number(
                    "test accuracy", r -> Numbers.percent(r.accuracy(), r.accuracyDeviation()))))
        .html();
  }
}
