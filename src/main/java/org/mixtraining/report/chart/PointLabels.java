package org.mixtraining.report.chart;

import java.util.ArrayList;
import java.util.List;

/** Labels beside points, placed without overlaps if possible. */
final class PointLabels {
  private static final double LETTER = 7;
  private static final double LINE = 14;

  /** Lower left corners to try, from the point: each to the right of it or to the left. */
  private static final double[] HEIGHTS = {-7, 17, -21, 31};

  private final Frame frame;
  private final List<Box> taken = new ArrayList<>();

  PointLabels(Frame frame) {
    this.frame = frame;
  }

  private record Box(double left, double top, double right, double bottom) {

    boolean meets(Box other) {
      return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
    }
  }

  Svg beside(List<ScatterChart.Arm> arms, Scale x, Scale y) {
    arms.forEach(arm -> taken.add(around(x.at(arm.cost().mean()), y.at(arm.accuracy().mean()))));
    Svg names = Svg.group("names");
    arms.forEach(
        arm -> {
          Box box =
              free(
                  x.at(arm.cost().mean()),
                  y.at(arm.accuracy().mean()),
                  LETTER * arm.name().length());
          taken.add(box);
          names.with(Svg.text("label", box.left, box.bottom - 3, arm.name()));
        });
    return names;
  }

  private Box free(double x, double y, double width) {
    List<Box> places = new ArrayList<>();
    for (double height : HEIGHTS) {
      places.add(new Box(x + 8, y + height - LINE, x + 8 + width, y + height));
      places.add(new Box(x - 8 - width, y + height - LINE, x - 8, y + height));
    }
    return places.stream()
        .filter(place -> place.left >= frame.left() && place.right <= frame.width)
        .filter(place -> place.top >= 0 && place.bottom <= frame.bottom())
        .filter(place -> taken.stream().noneMatch(place::meets))
        .findFirst()
        .orElse(places.get(0));
  }

  /** The box that a point covers. */
  private static Box around(double x, double y) {
    return new Box(x - 5, y - 5, x + 5, y + 5);
  }
}
