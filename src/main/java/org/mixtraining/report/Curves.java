package org.mixtraining.report;

import j2html.tags.DomContent;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.mixtraining.report.chart.Clock;
import org.mixtraining.report.chart.Figure;
import org.mixtraining.report.chart.Grid;
import org.mixtraining.report.chart.LineChart;
import org.mixtraining.report.chart.LineChart.Level;
import org.mixtraining.report.chart.LineChart.Line;
import org.mixtraining.report.chart.LineChart.Point;
import org.mixtraining.report.chart.Mark;
import org.mixtraining.report.chart.Numbers;
import org.mixtraining.report.chart.PhaseShading;
import org.mixtraining.results.EpochRow;
import org.mixtraining.results.RunRow.Progress;

/** The section of accuracy and losses by epoch, with shaded phases. */
final class Curves {

  private Curves() {}

  static Section of(RunFacts facts) {
    if (facts.epochs().isEmpty()) {
      return Section.missing("curves", "Curves", "No epoch of this run has finished.");
    }
    PhaseShading bands = PhaseShading.of(facts.epochs());
    List<DomContent> figures = new ArrayList<>();
    List<Line> accuracies =
        lines(
            line("test", Mark.CIRCLE, facts, e -> e.evaluation().testAccuracy()),
            line("validation", Mark.SQUARE, facts, e -> e.evaluation().validationAccuracy()),
            line("training", Mark.TRIANGLE, facts, e -> e.training().trainAccuracy()));
    if (!accuracies.isEmpty()) {
      LineChart chart =
          new LineChart("epoch", "accuracy", Numbers::share, accuracies, bands, chance(facts));
      figures.add(
          new Figure(
                  "accuracy", "Accuracy", accuracyMessage(facts, bands), chart, accuracies(facts))
              .html());
    }
    List<Line> entropies =
        lines(
            line("test", Mark.CIRCLE, facts, e -> e.evaluation().testLoss()),
            line("validation", Mark.SQUARE, facts, e -> e.evaluation().validationLoss()),
            line("training", Mark.TRIANGLE, facts, e -> e.training().slLoss()));
    if (!entropies.isEmpty()) {
      figures.add(
          loss(
              "cross-entropy",
              "Supervised loss",
              "cross-entropy, nats",
              entropies,
              "Cross-entropy of the labels. The training loss is measured on augmented images while the model changes, so it can be higher than the others.",
              facts));
    }
    if (!accuracies.isEmpty()) {
      figures.add(againstTime(facts));
    }
    List<Line> errors = lines(line("training", Mark.DIAMOND, facts, e -> e.training().sslLoss()));
    if (!errors.isEmpty()) {
      figures.add(
          loss(
              "reconstruction",
              "Self-supervised loss",
              "mean squared error",
              errors,
              "Reconstruction error of masked patches, in epochs with the self-supervised loss.",
              facts));
    }
    return Section.of("curves", "Curves", Card.side(figures));
  }

  /** Test accuracy by elapsed time. */
  private static DomContent againstTime(RunFacts facts) {
    Clock clock = Clock.upTo(facts.run().progress().seconds());
    List<Passed> passed = new ArrayList<>();
    double seconds = 0;
    for (EpochRow epoch : facts.epochs()) {
      seconds += epoch.cost().seconds();
      passed.add(new Passed(epoch, seconds));
    }
    List<Point> points =
        passed.stream()
            .filter(p -> p.epoch.evaluation().testAccuracy() != null)
            .map(p -> new Point(p.seconds / clock.seconds(), p.epoch.evaluation().testAccuracy()))
            .toList();
    return new Figure(
            "accuracy-time",
            "Accuracy against time",
            "Test accuracy by elapsed time, evaluation included; %s in total."
                .formatted(Numbers.time(seconds)),
            new LineChart(
                "time, " + clock.unit(),
                "test accuracy",
                Numbers::share,
                points.isEmpty() ? List.of() : List.of(new Line("test", Mark.CIRCLE, points)),
                new PhaseShading(List.of()),
                chance(facts)),
            Grid.of(
                "Accuracy by time",
                passed,
                Grid.<Passed>number("epoch", p -> String.valueOf(p.epoch.epoch())),
                Grid.number("time so far", p -> Numbers.time(p.seconds)),
                Grid.number("test", p -> Numbers.percent(p.epoch.evaluation().testAccuracy()))))
        .html();
  }

  /**
   * @param seconds from the start of the run to the end of the epoch
   */
  private record Passed(EpochRow epoch, double seconds) {}

  private static DomContent loss(
      String id, String title, String unit, List<Line> lines, String message, RunFacts facts) {
    LineChart chart =
        LineChart.byEpoch(unit, value -> Numbers.digits(value, 3), lines, facts.epochs());
    return new Figure(id, title, message + trend(lines), chart, losses(facts)).html();
  }

  /** The first and last value of each line, as a sentence. */
  private static String trend(List<Line> lines) {
    StringBuilder text = new StringBuilder();
    for (Line line : lines) {
      Point first = line.points().get(0);
      Point last = line.points().get(line.points().size() - 1);
      text.append(
          String.format(
              Locale.ROOT,
              " %s%s: %s in epoch %.0f, %s in epoch %.0f.",
              line.name().substring(0, 1).toUpperCase(Locale.ROOT),
              line.name().substring(1),
              Numbers.loss(first.y()),
              first.x(),
              Numbers.loss(last.y()),
              last.x()));
    }
    return text.toString();
  }

  private static String accuracyMessage(RunFacts facts, PhaseShading bands) {
    Progress progress = facts.run().progress();
    Level chance = chance(facts);
    String reached =
        progress.bestEpoch() == null
            ? "Test accuracy after the last epoch is %s."
                .formatted(Numbers.percent(progress.finalTestAccuracy()))
            : "Validation accuracy is best after epoch %s with %s; test accuracy is then %s, and after the last epoch %s."
                .formatted(
                    progress.bestEpoch(),
                    Numbers.percent(progress.bestValidationAccuracy()),
                    Numbers.percent(progress.testAccuracyAtBest()),
                    Numbers.percent(progress.finalTestAccuracy()));
    return reached
        + (chance == null
            ? ""
            : " Guessing would give %s.".formatted(Numbers.percent(chance.value())))
        + " Phases: %s.".formatted(bands.describe());
  }

  /** The accuracy of guessing; null for several tasks. */
  private static Level chance(RunFacts facts) {
    long tasks = facts.classes().stream().map(row -> row.task()).distinct().count();
    return tasks == 1 ? new Level("guessing", 1.0 / facts.classes().size()) : null;
  }

  private static Line line(
      String name, Mark mark, RunFacts facts, Function<EpochRow, Double> value) {
    return new Line(
        name,
        mark,
        facts.epochs().stream()
            .filter(epoch -> value.apply(epoch) != null && Double.isFinite(value.apply(epoch)))
            .map(epoch -> new Point(epoch.epoch(), value.apply(epoch)))
            .toList());
  }

  /** The lines that have points. */
  private static List<Line> lines(Line... lines) {
    return List.of(lines).stream().filter(line -> !line.points().isEmpty()).toList();
  }

  private static Grid<EpochRow> accuracies(RunFacts facts) {
    return Grid.of(
        "Accuracy by epoch",
        facts.epochs(),
        Grid.number("epoch", e -> String.valueOf(e.epoch())),
        Grid.name("phase", e -> e.phase().name()),
        Grid.number("training", e -> Numbers.percent(e.training().trainAccuracy())),
        Grid.number("validation", e -> Numbers.percent(e.evaluation().validationAccuracy())),
        Grid.number("test", e -> Numbers.percent(e.evaluation().testAccuracy())),
        Grid.number("test, top 5", e -> Numbers.percent(e.evaluation().testTop5Accuracy())));
  }

  private static Grid<EpochRow> losses(RunFacts facts) {
    return Grid.of(
        "Losses by epoch",
        facts.epochs(),
        Grid.number("epoch", e -> String.valueOf(e.epoch())),
        Grid.name("phase", e -> e.phase().name()),
        Grid.number("minimised", e -> Numbers.loss(e.training().trainLoss())),
        Grid.number("self-supervised", e -> Numbers.loss(e.training().sslLoss())),
        Grid.number("supervised", e -> Numbers.loss(e.training().slLoss())),
        Grid.number("validation", e -> Numbers.loss(e.evaluation().validationLoss())),
        Grid.number("test", e -> Numbers.loss(e.evaluation().testLoss())));
  }
}
