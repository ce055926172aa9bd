package org.mixtraining.report.chart;

import java.util.Comparator;
import java.util.List;
import java.util.function.DoubleFunction;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/**
 * Accuracy against cost: a point per arm with the standard deviation over its seeds as error bars,
 * a dot per run, and the Pareto front.
 *
 * @param cost how a value of the x axis is written
 */
public record ScatterChart(String xTitle, DoubleFunction<String> cost, List<ScatterChart.Arm> arms)
    implements Chart {

  /**
   * @param runs cost and accuracy of its runs
   * @param best whether no other arm is both as accurate and as cheap
   */
  public record Arm(
      String name, Mark mark, Value cost, Value accuracy, List<Run> runs, boolean best) {

    /** The same with {@code best} set by comparison with all arms. */
    public Arm among(List<Arm> arms) {
      return new Arm(
          name, mark, cost, accuracy, runs, arms.stream().noneMatch(other -> other.beats(this)));
    }

    /** Whether it dominates the other: as accurate and as cheap, and better in one of the two. */
    private boolean beats(Arm other) {
      return accuracy.mean >= other.accuracy.mean
          && cost.mean <= other.cost.mean
          && (accuracy.mean > other.accuracy.mean || cost.mean < other.cost.mean);
    }
  }

  /**
   * @param deviation over the runs; 0 for one run
   */
  public record Value(double mean, double deviation) {}

  public record Run(double cost, double accuracy) {}

  @Override
  public List<Key> legend() {
    return arms.stream().map(arm -> new Key(arm.mark.alone(), arm.name)).toList();
  }

  @Override
  public Svg draw(Frame frame) {
    Scale x = frame.x(Range.of(values(Arm::cost, Run::cost)).fromZero().rounded(5));
    Scale y = frame.y(Range.of(values(Arm::accuracy, Run::accuracy)).rounded(5));
    Svg chart = Svg.group("chart");
    chart.with(new Axes(frame, x, y, xTitle, "test accuracy").draw(cost, Numbers::share));
    chart.with(front(x, y));
    arms.forEach(arm -> chart.with(draw(arm, x, y)));
    chart.with(new PointLabels(frame).beside(arms, x, y));
    return chart;
  }

  /** The Pareto front as a stepped line. */
  private Svg front(Scale x, Scale y) {
    StringBuilder data = new StringBuilder();
    List<Arm> best =
        arms.stream()
            .filter(Arm::best)
            .sorted(Comparator.comparingDouble(arm -> arm.cost.mean))
            .toList();
    for (Arm arm : best) {
      String across = Numbers.coordinate(x.at(arm.cost.mean));
      String up = Numbers.coordinate(y.at(arm.accuracy.mean));
      if (data.isEmpty()) {
        data.append("M%s %sV%s".formatted(across, Numbers.coordinate(y.from()), up));
      } else {
        data.append("H%sV%s".formatted(across, up));
      }
    }
    if (!data.isEmpty()) {
      data.append("H").append(Numbers.coordinate(x.to()));
    }
    return Svg.path("front", data.toString());
  }

  private Svg draw(Arm arm, Scale x, Scale y) {
    Svg drawn = Svg.group("arm " + arm.mark.style());
    for (Run run : arm.runs) {
      drawn.with(
          Svg.of("circle")
              .withClass("run")
              .at("cx", x.at(run.cost))
              .at("cy", y.at(run.accuracy))
              .at("r", 2));
    }
    double across = x.at(arm.cost.mean);
    double up = y.at(arm.accuracy.mean);
    double dx = x.at(arm.cost.mean + arm.cost.deviation) - across;
    double dy = up - y.at(arm.accuracy.mean + arm.accuracy.deviation);
    drawn.with(
        Svg.line("error", across, up - dy, across, up + dy),
        Svg.line("error", across - 4, up - dy, across + 4, up - dy),
        Svg.line("error", across - 4, up + dy, across + 4, up + dy),
        Svg.line("error", across - dx, up, across + dx, up),
        Svg.line("error", across - dx, up - 4, across - dx, up + 4),
        Svg.line("error", across + dx, up - 4, across + dx, up + 4));
    return drawn.with(
        arm.mark
            .at(across, up)
            .titled(
                "%s: %s for %s"
                    .formatted(
                        arm.name,
                        Numbers.percent(arm.accuracy.mean, arm.accuracy.deviation),
                        cost.apply(arm.cost.mean))));
  }

  private DoubleStream values(Function<Arm, Value> mean, ToDoubleFunction<Run> ofRun) {
    return arms.stream()
        .flatMap(
            arm -> {
              Value value = mean.apply(arm);
              return Stream.concat(
                  Stream.of(value.mean - value.deviation, value.mean + value.deviation),
                  arm.runs.stream().map(ofRun::applyAsDouble));
            })
        .mapToDouble(value -> value);
  }
}
