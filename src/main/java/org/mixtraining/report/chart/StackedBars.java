package org.mixtraining.report.chart;

import java.util.List;
import java.util.stream.IntStream;

/**
 * Stacked bars: one per epoch, whose parts have a colour and a texture each.
 *
 * @param parts names from the bottom up
 * @param bars by epoch
 */
public record StackedBars(String yTitle, List<String> parts, List<StackedBars.Bar> bars)
    implements Chart {

  /**
   * @param values seconds of each part
   */
  public record Bar(int epoch, List<Double> values) {

    public double sum() {
      return values.stream().mapToDouble(value -> value).sum();
    }
  }

  @Override
  public List<Key> legend() {
    return IntStream.range(0, parts.size())
        .mapToObj(
            part ->
                new Key(Mark.sample("sample", 30).with(part(part, 4, 1, 22, 12)), parts.get(part)))
        .toList();
  }

  @Override
  public Svg draw(Frame frame) {
    int first = bars.get(0).epoch;
    int last = bars.get(bars.size() - 1).epoch;
    Scale x = frame.x(new Range(first - 0.5, last + 0.5));
    Scale y = frame.y(Range.of(bars.stream().mapToDouble(Bar::sum)).fromZero().rounded(5));
    Svg chart = Svg.group("chart");
    chart.with(
        new Axes(frame, x, y, "epoch", yTitle)
            .draw(tick -> Numbers.digits(tick, 4), tick -> Numbers.digits(tick, 4)));
    double width = Math.max(1, (x.at(1) - x.at(0)) * 0.7);
    for (Bar bar : bars) {
      double below = 0;
      for (int part = 0; part < parts.size(); part++) {
        double seconds = bar.values.get(part);
        double top = y.at(below + seconds);
        double left = x.at(bar.epoch) - width / 2;
        double height = y.at(below) - top;
        below += seconds;
        if (height >= 0.05) {
          chart.with(
              part(part, left, top, width, height)
                  .titled(
                      "epoch %s: %s of %s, %s"
                          .formatted(
                              bar.epoch,
                              Numbers.time(seconds),
                              Numbers.time(bar.sum()),
                              parts.get(part))));
        }
      }
    }
    return chart;
  }

  /** In its colour, and over that in its texture. */
  private static Svg part(int part, double left, double top, double width, double height) {
    return Svg.group("part")
        .with(
            Svg.rect("p" + part, left, top, width, height),
            Svg.rect("t" + part, left, top, width, height));
  }
}
