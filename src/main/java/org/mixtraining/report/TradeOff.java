package org.mixtraining.report;

import static j2html.TagCreator.p;

import j2html.tags.DomContent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.DoubleFunction;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.commons.math3.stat.descriptive.moment.StandardDeviation;
import org.mixtraining.report.ComparisonFacts.ArmResult;
import org.mixtraining.report.ComparisonFacts.ArmRun;
import org.mixtraining.report.ComparisonFacts.Place;
import org.mixtraining.report.chart.Clock;
import org.mixtraining.report.chart.Figure;
import org.mixtraining.report.chart.Grid;
import org.mixtraining.report.chart.Mark;
import org.mixtraining.report.chart.Numbers;
import org.mixtraining.report.chart.ScatterChart;
import org.mixtraining.report.chart.ScatterChart.Arm;
import org.mixtraining.report.chart.ScatterChart.Run;
import org.mixtraining.report.chart.ScatterChart.Value;

/**
 * The section of accuracy against cost in each setting: in time and in floating-point operations.
 */
final class TradeOff {
  private static final String TITLE = "Accuracy against cost";

  private TradeOff() {}

  static Section of(ComparisonFacts facts) {
    List<DomContent> figures = new ArrayList<>();
    for (int i = 0; i < facts.places().size(); i++) {
      Place place = facts.places().get(i);
      Clock clock =
          Clock.upTo(
              facts.runs().stream()
                  .filter(run -> run.place().equals(place) && run.deviceSeconds() != null)
                  .mapToDouble(ArmRun::deviceSeconds)
                  .max()
                  .orElse(0));
      List<Arm> byTime =
          arms(
              facts,
              place,
              run -> run.deviceSeconds() == null ? null : run.deviceSeconds() / clock.seconds());
      if (!byTime.isEmpty()) {
        figures.add(
            figure(
                "time-" + i,
                place.title(),
                "time on devices",
                time -> Numbers.digits(time, 3) + "\u00a0" + clock.unit(),
                byTime));
        figures.add(
            figure(
                "compute-" + i,
                place.title() + ", by compute",
                "FLOP of training, by formula",
                flops -> Numbers.amount(flops, ""),
                arms(facts, place, ArmRun::flops)));
      }
    }
    return figures.isEmpty()
        ? Section.missing("trade-off", TITLE, "No run of the comparison has finished.")
        : Section.of(
            "trade-off",
            TITLE,
            p("Up is more accurate, left is cheaper. Bars are standard deviations over seeds, dots single runs. The stepped line is the Pareto front: no other arm is both as accurate and as cheap.")
                .withClass("about"),
            Card.side(figures));
  }

  private static DomContent figure(
      String id, String title, String unit, DoubleFunction<String> cost, List<Arm> arms) {
    String best = arms.stream().filter(Arm::best).map(Arm::name).collect(Collectors.joining(", "));
    return new Figure(
            id,
            title,
            "Best: %s.".formatted(best),
            new ScatterChart(unit, cost, arms),
            Grid.of(
                title,
                arms,
                Grid.name("arm", Arm::name),
                Grid.<Arm>number("runs", arm -> Numbers.count(arm.runs().size())),
                Grid.number(
                    "test accuracy",
                    arm ->
                        Numbers.percent(
                            arm.accuracy().mean(),
                            arm.runs().size() > 1 ? arm.accuracy().deviation() : null)),
                Grid.number(unit, arm -> cost.apply(arm.cost().mean())),
                Grid.number("±", arm -> cost.apply(arm.cost().deviation())),
                Grid.name("best", arm -> arm.best() ? "✓ yes" : "no")))
        .html();
  }

  private static List<Arm> arms(ComparisonFacts facts, Place place, Function<ArmRun, Double> cost) {
    List<Arm> arms = new ArrayList<>();
    for (ArmResult result : facts.arms()) {
      List<Run> runs =
          facts.runs().stream()
              .filter(run -> run.place().equals(place) && run.arm().equals(result.arm()))
              .filter(run -> run.accuracy() != null && Objects.nonNull(cost.apply(run)))
              .map(run -> new Run(cost.apply(run), run.accuracy()))
              .toList();
      if (result.place().equals(place) && !runs.isEmpty()) {
        arms.add(
            new Arm(
                result.arm(),
                Mark.of(facts.armNames().indexOf(result.arm())),
                value(runs.stream().mapToDouble(Run::cost).toArray()),
                value(runs.stream().mapToDouble(Run::accuracy).toArray()),
                runs,
                false));
      }
    }
    return arms.stream().map(arm -> arm.among(arms)).toList();
  }

  private static Value value(double[] values) {
    double mean = Arrays.stream(values).average().orElseThrow();
    return new Value(mean, values.length > 1 ? new StandardDeviation().evaluate(values) : 0);
  }
}
