package org.mixtraining.report.chart;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleFunction;
import java.util.stream.Stream;
import org.mixtraining.results.EpochRow;

/**
 * Lines over an axis of epochs or another number.
 *
 * @param number how a value of the y axis is written
 * @param bands phases shaded behind the lines
 * @param level a reference value, or null
 */
public record LineChart(
    String xTitle,
    String yTitle,
    DoubleFunction<String> number,
    List<LineChart.Line> lines,
    PhaseShading bands,
    LineChart.Level level)
    implements Chart {

  /** The largest number of points on a line that are all drawn with their shapes. */
  private static final int SHAPES = 24;

  /**
   * @param mark its look
   * @param points by x
   */
  public record Line(String name, Mark mark, List<Point> points) {}

  public record Point(double x, double y) {}

  /** A horizontal reference line, such as the accuracy of guessing. */
  public record Level(String name, double value) {}

  /** A chart over epochs, with their phases behind it. */
  public static LineChart byEpoch(
      String yTitle, DoubleFunction<String> number, List<Line> lines, List<EpochRow> epochs) {
    return new LineChart("epoch", yTitle, number, lines, PhaseShading.of(epochs), null);
  }

  @Override
  public List<Key> legend() {
    return lines.stream().map(line -> new Key(line.mark.onLine(), line.name)).toList();
  }

  @Override
  public Svg draw(Frame frame) {
    Scale x = frame.x(xs());
    Scale y = frame.y(ys());
    Svg chart = Svg.group("chart").with(bands.draw(frame, x));
    chart.with(new Axes(frame, x, y, xTitle, yTitle).draw(LineChart::plain, number));
    if (level != null) {
      double at = y.at(level.value);
      chart.with(
          Svg.line("level", frame.left(), at, frame.right(), at),
          Svg.text("level end", frame.right() - 3, at - 4, level.name));
    }
    lines.forEach(line -> chart.with(draw(line, x, y)));
    return chart;
  }

  private Svg draw(Line line, Scale x, Scale y) {
    StringBuilder data = new StringBuilder();
    for (Point point : line.points) {
      data.append(data.isEmpty() ? 'M' : 'L')
          .append(Numbers.coordinate(x.at(point.x)))
          .append(' ')
          .append(Numbers.coordinate(y.at(point.y)));
    }
    Svg drawn = Svg.group("series");
    if (line.points.size() > 1) {
      drawn.with(Svg.path("line " + line.mark.style(), data.toString()));
    }
    int every = (line.points.size() + SHAPES - 1) / SHAPES;
    for (int i = 0; i < line.points.size(); i++) {
      Point point = line.points.get(i);
      boolean last = i == line.points.size() - 1;
      if (last || i % every == 0) {
        drawn.with(
            line.mark
                .at(x.at(point.x), y.at(point.y))
                .titled(
                    "%s, %s %s: %s"
                        .formatted(line.name, xTitle, plain(point.x), number.apply(point.y))));
      }
    }
    return drawn;
  }

  private Range xs() {
    Range points =
        Range.of(lines.stream().flatMap(line -> line.points.stream()).mapToDouble(Point::x));
    if (bands.bands().isEmpty()) {
      return points.fromZero().rounded(4);
    }
    int end = bands.bands().size() - 1;
    return new Range(bands.bands().get(0).first() - 0.5, bands.bands().get(end).last() + 0.5);
  }

  private Range ys() {
    Stream<Double> values = lines.stream().flatMap(line -> line.points.stream()).map(Point::y);
    List<Double> all = new ArrayList<>(values.toList());
    if (level != null) {
      all.add(level.value);
    }
    Range range = Range.of(all.stream().mapToDouble(value -> value)).fromZero();
    return range.rounded(5);
  }

  private static String plain(double value) {
    return Numbers.digits(value, 4);
  }
}
