package org.mixtraining.report;

import j2html.tags.DomContent;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.mixtraining.report.chart.Figure;
import org.mixtraining.report.chart.Grid;
import org.mixtraining.report.chart.Numbers;
import org.mixtraining.report.chart.StackedBars;
import org.mixtraining.report.chart.StackedBars.Bar;
import org.mixtraining.results.EpochRow;

/** The section about time spent: by epoch, phase, activity and worker. */
final class TimeSpent {
  private static final List<String> PARTS =
      List.of(
          "training steps", "waiting for data", "exchanging the state", "evaluation", "the rest");

  private TimeSpent() {}

  static Section of(RunFacts facts) {
    if (facts.epochs().isEmpty()) {
      return Section.missing("time", "Where the time went", "No epoch of this run has finished.");
    }
    List<Bar> bars = facts.epochs().stream().map(TimeSpent::bar).toList();
    return Section.of(
        "time",
        "Where the time went",
        Card.side(byEpoch(bars), byPhase(facts, bars)),
        WorkersSection.of(facts.workers()));
  }

  // --- epochs and phases -----------------------------------------------------------------------

  private static Bar bar(EpochRow epoch) {
    EpochRow.Cost cost = epoch.cost();
    double known =
        cost.computeSeconds() + cost.waitSeconds() + cost.syncSeconds() + cost.evaluationSeconds();
    return new Bar(
        epoch.epoch(),
        List.of(
            cost.computeSeconds(),
            cost.waitSeconds(),
            cost.syncSeconds(),
            cost.evaluationSeconds(),
            Math.max(0, cost.seconds() - known)));
  }

  private static DomContent byEpoch(List<Bar> bars) {
    double all = bars.stream().mapToDouble(Bar::sum).sum();
    List<Grid.Column<Bar>> columns = new ArrayList<>();
    columns.add(Grid.number("epoch", bar -> String.valueOf(bar.epoch())));
    for (int part = 0; part < PARTS.size(); part++) {
      int at = part;
      columns.add(Grid.number(PARTS.get(at), bar -> Numbers.time(bar.values().get(at))));
    }
    columns.add(Grid.number("total", bar -> Numbers.time(bar.sum())));
    return new Figure(
            "epoch-time",
            "By epoch",
            "Seconds of each epoch; %s of %s were training steps."
                .formatted(Numbers.percent(sum(bars, 0) / all), Numbers.time(all)),
            new StackedBars("seconds", PARTS, bars),
            new Grid<>("Time by epoch", columns, bars))
        .html();
  }

  private static DomContent byPhase(RunFacts facts, List<Bar> bars) {
    return Card.of(
        "By phase and activity",
        "Time on devices is that of training, summed over workers and the cores, or GPU, that each holds; time includes evaluation. Training and waiting are those of the slowest worker; the rest is starting tasks and writing results.",
        Grid.html(
            "Cost by phase",
            facts.phases(),
            Grid.<RunFacts.PhaseCost>name("phase", p -> p.phase().name()),
            Grid.number("epochs", p -> Numbers.count(p.epochs())),
            Grid.number("images", p -> Numbers.count(p.images())),
            Grid.number("time", p -> Numbers.time(p.seconds())),
            Grid.number("an epoch", p -> Numbers.time(p.seconds() / p.epochs())),
            Grid.number("on devices", p -> Numbers.time(p.deviceSeconds())),
            Grid.number("compute", p -> Numbers.amount(p.flops(), "FLOP")),
            Grid.number("evaluating", p -> Numbers.time(p.evaluationSeconds())),
            Grid.number("evaluation compute", p -> Numbers.flops(p.evaluationFlops()))),
        Grid.html(
            "Time by activity",
            IntStream.range(0, PARTS.size()).boxed().toList(),
            Grid.<Integer>name("activity", PARTS::get),
            Grid.number("time", part -> Numbers.time(sum(bars, part))),
            Grid.number(
                "share",
                part ->
                    Numbers.percent(sum(bars, part) / bars.stream().mapToDouble(Bar::sum).sum()))));
  }

  private static double sum(List<Bar> bars, int part) {
    return bars.stream().mapToDouble(bar -> bar.values().get(part)).sum();
  }
}
