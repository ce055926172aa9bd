package org.mixtraining.data.sources;

import java.util.function.DoubleBinaryOperator;

/**
 * The classes of the synthetic dataset, as signed distances (negative inside, and near the outline
 * about as long as the way to it) of figures that fill the unit disc.
 */
enum Shape {
  DISC((x, y) -> Math.sqrt(x * x + y * y) - 0.9),
  RING((x, y) -> Math.abs(Math.sqrt(x * x + y * y) - 0.72) - 0.2),
  SQUARE((x, y) -> box(x, y, 0.76, 0.76)),
  TRIANGLE((x, y) -> polygon(x, y, 3, 0.52)),
  CROSS((x, y) -> Math.min(box(x, y, 0.98, 0.26), box(x, y, 0.26, 0.98))),
  STAR(
      (x, y) -> {
        // one of ten mirrored wedges: the outline runs from the tip (1, 0) to an inner corner
        double wedge = Math.PI / 5;
        double angle = Math.abs(Math.IEEEremainder(StrictMath.atan2(y, x), 2 * wedge));
        double radius = Math.sqrt(x * x + y * y);
        double cornerX = 0.4 * StrictMath.cos(wedge);
        double cornerY = 0.4 * StrictMath.sin(wedge);
        double length = Math.sqrt((1 - cornerX) * (1 - cornerX) + cornerY * cornerY);
        double alongX = radius * StrictMath.cos(angle) - 1;
        double alongY = radius * StrictMath.sin(angle);
        return (alongX * cornerY + alongY * (1 - cornerX)) / length;
      }),
  CRESCENT(
      (x, y) -> {
        double bite = Math.sqrt((x - 0.5) * (x - 0.5) + y * y) - 0.72;
        return Math.max(DISC.distance(x, y), -bite);
      }),
  ARROW(
      (x, y) -> {
        double head = Math.max(0.05 - x, (x - 0.98) * 0.71 + Math.abs(y) * 0.71);
        return Math.min(head, box(x + 0.4, y, 0.55, 0.2));
      }),
  STRIPES(
      (x, y) -> {
        double stripe = Math.abs(Math.IEEEremainder(x, 0.64)) - 0.16;
        return Math.max(box(x, y, 0.8, 0.8), stripe);
      }),
  CHECKER(
      (x, y) -> {
        // three by three cells, the corners and the middle filled
        double side = 0.52;
        double inX = Math.abs(Math.IEEEremainder(x, 2 * side)) - side / 2;
        double inY = Math.abs(Math.IEEEremainder(y, 2 * side)) - side / 2;
        double cell = Math.min(Math.abs(inX), Math.abs(inY));
        return Math.max(box(x, y, 1.5 * side, 1.5 * side), inX * inY > 0 ? -cell : cell);
      });

  private final DoubleBinaryOperator outline;

  Shape(DoubleBinaryOperator outline) {
    this.outline = outline;
  }

  /** Signed distance of the point to the outline; the figure is of radius 1 around (0, 0). */
  double distance(double x, double y) {
    return outline.applyAsDouble(x, y);
  }

  private static double box(double x, double y, double halfWidth, double halfHeight) {
    return Math.max(Math.abs(x) - halfWidth, Math.abs(y) - halfHeight);
  }

  private static double polygon(double x, double y, int sides, double inner) {
    double wedge = 2 * Math.PI / sides;
    double angle = Math.IEEEremainder(StrictMath.atan2(y, x), wedge);
    return Math.sqrt(x * x + y * y) * StrictMath.cos(angle) - inner;
  }
}
