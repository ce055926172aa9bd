package org.mixtraining.config;

import java.io.Serializable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A value over the MIX phase: {@code constant(a)}, {@code linear(a->b)} or {@code cosine(a->b)}.
 */
public record Curve(Shape shape, double start, double end) implements Serializable {
  private static final String NUMBER = "\\s*([0-9.eE+-]+?)\\s*";
  private static final Pattern CONSTANT = Pattern.compile("constant\\(" + NUMBER + "\\)");
  private static final Pattern RAMP =
      Pattern.compile("(linear|cosine)\\(" + NUMBER + "(?:->|→)" + NUMBER + "\\)");

  /** The way from start to end. */
  public enum Shape {
    CONSTANT,
    LINEAR,
    COSINE
  }

  /** Reads the notation above. */
  public static Curve parse(String text) {
    Matcher constant = CONSTANT.matcher(text);
    if (constant.matches()) {
      return constant(Double.parseDouble(constant.group(1)));
    }
    Matcher ramp = RAMP.matcher(text);
    if (!ramp.matches()) {
      throw new IllegalArgumentException(text);
    }
    return new Curve(
        ramp.group(1).equals("linear") ? Shape.LINEAR : Shape.COSINE,
        Double.parseDouble(ramp.group(2)),
        Double.parseDouble(ramp.group(3)));
  }

  static Curve constant(double value) {
    return new Curve(Shape.CONSTANT, value, value);
  }

  /** The value at a position in [0, 1] of the phase. */
  public double at(double position) {
    double progress =
        switch (shape) {
          case CONSTANT -> 0;
          case LINEAR -> position;
          case COSINE -> 0.5 * (1 - Math.cos(Math.PI * position));
        };
    return start + (end - start) * progress;
  }

  /** The mean over the phase. */
  double mean() {
    return (start + end) / 2;
  }

  /** The notation above. */
  @Override
  public String toString() {
    return switch (shape) {
      case CONSTANT -> "constant(" + Decimals.plain(start) + ")";
      case LINEAR -> "linear(" + Decimals.plain(start) + "->" + Decimals.plain(end) + ")";
      case COSINE -> "cosine(" + Decimals.plain(start) + "->" + Decimals.plain(end) + ")";
    };
  }
}
