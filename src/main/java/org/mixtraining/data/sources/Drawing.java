package org.mixtraining.data.sources;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.DoubleBinaryOperator;

/**
 * Drawing of one synthetic image: a background, clutter, the shape that is its class, something
 * that covers a part of it, exposure and noise. Every colour, gradient, place, size and angle comes
 * from the image's own random numbers, so that neither a mean colour nor a single pixel tells the
 * class. The shape is lighter than its background and tilted a little at most, which lets a small
 * model learn the classes from a few thousand images.
 */
final class Drawing {
  /** Height and width in pixels. */
  static final int SIZE = 32;

  /** Red, green, blue. */
  static final int CHANNELS = 3;

  private static final double LEAST_CONTRAST = 0.25;
  private static final double MOST_TILT =
      0.35; // radians; upside down, a triangle needs more images

  private final SplittableRandom random;
  private final double[][] canvas = new double[CHANNELS][SIZE * SIZE];

  Drawing(SplittableRandom random) {
    this.random = random;
  }

  /** Pose of a figure: centre and radius in pixels, rotated, and squeezed along its own axis. */
  private record Pose(double x, double y, double radius, double angle, double squeeze) {}

  /** RGB in [0, 1] at either end of a figure, blended between. */
  private record Paint(double[] from, double[] to) {}

  /** The image, uint8 [channels, height, width]. */
  byte[] of(Shape shape) {
    var background = gradient(darkColor(), 0.25);
    draw((x, y) -> -1, new Pose(SIZE / 2.0, SIZE / 2.0, SIZE * 0.7, turn(), 1), background);
    for (int i = random.nextInt(4); i > 0; i--) {
      speck(between(0, SIZE), between(0, SIZE), between(0.8, 3));
    }
    double radius = between(8.5, 13);
    double room = SIZE / 2.0 - 0.9 * radius;
    double x = SIZE / 2.0 + between(-room, room);
    double y = SIZE / 2.0 + between(-room, room);
    draw(
        shape::distance,
        new Pose(x, y, radius, between(-MOST_TILT, MOST_TILT), between(0.85, 1.2)),
        gradient(colorLighterThan(background), 0.2));
    if (random.nextInt(2) == 0) {
      speck(x + between(-radius, radius), y + between(-radius, radius), between(1, 3));
    }
    return expose();
  }

  /** A small disc or bar. */
  private void speck(double x, double y, double radius) {
    boolean round = random.nextBoolean();
    double half = between(0.15, 0.4);
    double length = between(1, 3);
    draw(
        round
            ? (u, v) -> Math.sqrt(u * u + v * v) - 1
            : (u, v) -> Math.max(Math.abs(u) - length, Math.abs(v) - half),
        new Pose(x, y, radius, turn(), 1),
        gradient(color(), 0.2));
  }

  private void draw(DoubleBinaryOperator figure, Pose pose, Paint paint) {
    double cos = StrictMath.cos(pose.angle());
    double sin = StrictMath.sin(pose.angle());
    for (int i = 0; i < SIZE * SIZE; i++) {
      int column = i % SIZE;
      int row = i / SIZE;
      double dx = (column + 0.5 - pose.x()) / pose.radius();
      double dy = (row + 0.5 - pose.y()) / pose.radius();
      double x = (cos * dx + sin * dy) * pose.squeeze();
      double y = cos * dy - sin * dx;
      // coverage of the pixel by the figure, whose outline is taken for a straight line there
      double cover = clamp(0.5 - figure.applyAsDouble(x, y) * pose.radius());
      if (cover > 0) {
        double blend = clamp(0.5 + x / 2);
        for (int c = 0; c < canvas.length; c++) {
          double color = paint.from()[c] + blend * (paint.to()[c] - paint.from()[c]);
          canvas[c][i] += cover * (color - canvas[c][i]);
        }
      }
    }
  }

  private byte[] expose() {
    double contrast = between(0.7, 1.1);
    double brightness = between(-0.12, 0.12);
    double noise = between(0.01, 0.07);
    var pixels = new byte[CHANNELS * SIZE * SIZE];
    for (int i = 0; i < pixels.length; i++) {
      double light = (canvas[i / (SIZE * SIZE)][i % (SIZE * SIZE)] - 0.5) * contrast + 0.5;
      // the sum of three uniform numbers is near enough to normal, and the same on every JVM
      double sum = random.nextDouble() + random.nextDouble() + random.nextDouble();
      pixels[i] = (byte) Math.round(255 * clamp(light + brightness + noise * (2 * sum - 3)));
    }
    return pixels;
  }

  /** From this colour to one that differs by up to {@code change} in each channel. */
  private Paint gradient(double[] from, double change) {
    return new Paint(
        from, Arrays.stream(from).map(v -> clamp(v + between(-change, change))).toArray());
  }

  private double[] color() {
    return random.doubles(CHANNELS).toArray();
  }

  /** Dark enough for a shape to be lighter. */
  private double[] darkColor() {
    return Arrays.stream(color()).map(v -> 0.4 * v).toArray();
  }

  private double[] colorLighterThan(Paint paint) {
    double[] color;
    do {
      color = color();
    } while (light(color) < LEAST_CONTRAST + Math.max(light(paint.from()), light(paint.to())));
    return color;
  }

  private static double light(double[] color) {
    return Arrays.stream(color).average().orElseThrow();
  }

  private double turn() {
    return between(0, 2 * Math.PI);
  }

  private double between(double low, double high) {
    return low + (high - low) * random.nextDouble();
  }

  private static double clamp(double value) {
    return Math.max(0, Math.min(1, value));
  }
}
