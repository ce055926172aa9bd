package org.mixtraining.report.chart;

/**
 * The sizes in which every chart is drawn: the page shows the one that fits, so that letters keep
 * their size on a phone.
 */
enum Frame {
  WIDE(560, 310, 6),
  NARROW(330, 280, 4);

  private static final double LEFT = 52;
  private static final double RIGHT = 14;
  private static final double TOP = 36;
  private static final double BOTTOM = 40;

  final int width;
  final int height;

  /** Approximate number of tick labels on the x axis. */
  final int ticks;

  Frame(int width, int height, int ticks) {
    this.width = width;
    this.height = height;
    this.ticks = ticks;
  }

  Scale x(Range range) {
    return new Scale(range, LEFT, width - RIGHT);
  }

  Scale y(Range range) {
    return new Scale(range, height - BOTTOM, TOP);
  }

  double left() {
    return LEFT;
  }

  double right() {
    return width - RIGHT;
  }

  double top() {
    return TOP;
  }

  double bottom() {
    return height - BOTTOM;
  }
}
