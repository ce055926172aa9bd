package org.mixtraining.report;

import static j2html.TagCreator.each;
import static j2html.TagCreator.li;
import static j2html.TagCreator.ol;
import static j2html.TagCreator.span;

import j2html.tags.DomContent;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.mixtraining.config.KebabCase;
import org.mixtraining.report.chart.Figure;
import org.mixtraining.report.chart.Grid;
import org.mixtraining.report.chart.LineChart;
import org.mixtraining.report.chart.LineChart.Line;
import org.mixtraining.report.chart.LineChart.Point;
import org.mixtraining.report.chart.Mark;
import org.mixtraining.report.chart.Numbers;
import org.mixtraining.report.chart.PhaseShading;
import org.mixtraining.report.chart.PhaseShading.Band;
import org.mixtraining.results.EpochRow;
import org.mixtraining.schedule.Phase;

/**
 * The section about the schedule: objective, learning rate, loss weight and mask ratio by epoch.
 */
final class ScheduleSection {

  private ScheduleSection() {}

  static Section of(RunFacts facts) {
    List<EpochRow> epochs = facts.epochs();
    if (epochs.isEmpty()) {
      return Section.missing("schedule", "Schedule", "No epoch of this run has finished.");
    }
    return Section.of(
        "schedule", "Schedule", strip(epochs), Card.side(learningRate(epochs), weights(epochs)));
  }

  /** The phases as a strip, each as wide as its number of epochs. */
  private static DomContent strip(List<EpochRow> epochs) {
    List<Band> bands = PhaseShading.of(epochs).bands();
    return ol(each(
            bands,
            band -> {
              int count = band.last() - band.first() + 1;
              return li(
                      span(band.phase().name()).withClass("phase-name"),
                      span(count == 1 ? "1 epoch" : count + " epochs"),
                      span(meaning(band.phase())).withClass("phase-meaning"))
                  .withClasses("phase", PhaseShading.style(band.phase()))
                  .withStyle("--epochs:" + count);
            }))
        .withClass("strip");
  }

  private static String meaning(Phase phase) {
    return switch (phase) {
      case SSL -> "reconstruct masked patches";
      case MIX -> "both losses";
      case SL -> "predict labels";
    };
  }

  private static DomContent learningRate(List<EpochRow> epochs) {
    List<Point> points = new ArrayList<>();
    for (EpochRow epoch : epochs) {
      points.add(new Point(epoch.epoch() - 0.5, epoch.learningRateStart()));
    }
    EpochRow last = epochs.get(epochs.size() - 1);
    points.add(new Point(last.epoch() + 0.5, last.learningRateEnd()));
    double peak = points.stream().mapToDouble(Point::y).max().orElse(0);
    return new Figure(
            "learning-rate",
            "Learning rate",
            "It starts at %s, peaks at %s and ends at %s; the chart shows its values where epochs begin and end."
                .formatted(
                    Numbers.digits(points.get(0).y(), 3),
                    Numbers.digits(peak, 3),
                    Numbers.digits(last.learningRateEnd(), 3)),
            LineChart.byEpoch(
                "learning rate",
                rate -> Numbers.digits(rate, 2),
                List.of(new Line("learning rate", Mark.CIRCLE, points)),
                epochs),
            numbers(epochs))
        .html();
  }

  private static DomContent weights(List<EpochRow> epochs) {
    List<Point> alpha = epochs.stream().map(e -> new Point(e.epoch(), e.alpha())).toList();
    List<Point> maskRatio =
        epochs.stream()
            .filter(e -> e.maskRatio() != null)
            .map(e -> new Point(e.epoch(), e.maskRatio()))
            .toList();
    List<Line> lines = new ArrayList<>();
    lines.add(new Line("α, weight of the self-supervised loss", Mark.SQUARE, alpha));
    if (!maskRatio.isEmpty()) {
      lines.add(new Line("mask ratio", Mark.TRIANGLE, maskRatio));
    }
    return new Figure(
            "weights",
            "Weight of the losses",
            "With α = 1 only the self-supervised loss counts, with α = 0 only the supervised one. Phases: %s."
                .formatted(PhaseShading.of(epochs).describe()),
            LineChart.byEpoch("share", share -> Numbers.digits(share, 3), lines, epochs),
            numbers(epochs))
        .html();
  }

  private static Grid<EpochRow> numbers(List<EpochRow> epochs) {
    return Grid.of(
        "Schedule by epoch",
        epochs,
        Grid.number("epoch", e -> String.valueOf(e.epoch())),
        Grid.name("phase", e -> e.phase().name()),
        Grid.name("objective", e -> KebabCase.of(e.objective())),
        Grid.name("pass", e -> e.pass() == null ? Numbers.NONE : KebabCase.of(e.pass())),
        Grid.number("first step", e -> Numbers.digits(e.learningRateStart(), 3)),
        Grid.number("last step", e -> Numbers.digits(e.learningRateEnd(), 3)),
        Grid.number("α", e -> Numbers.digits(e.alpha(), 3)),
        Grid.number("mask ratio", e -> Numbers.percent(e.maskRatio())),
        batches("steps", b -> b.stepsPerWorker()),
        batches("images a step", b -> b.batchSize()),
        batches("images a step and worker", b -> b.workerBatchSize()),
        batches("averages", b -> b.averages()));
  }

  private static Grid.Column<EpochRow> batches(
      String name, Function<EpochRow.Batches, Number> value) {
    return Grid.number(
        name,
        epoch -> {
          Number number = value.apply(epoch.batches());
          return number == null ? Numbers.NONE : Numbers.digits(number.doubleValue(), 3);
        });
  }
}
