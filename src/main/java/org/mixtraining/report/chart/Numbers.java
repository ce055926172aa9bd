package org.mixtraining.report.chart;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.Locale;
import org.mixtraining.config.Decimals;
import org.mixtraining.jobs.Durations;

/**
 * Formatting of numbers for display: enough digits to tell them apart, a unit, a dash for missing
 * values.
 */
public final class Numbers {
  public static final String NONE = "–";

  /** No-break space between a number and its unit. */
  private static final char SPACE = '\u00a0';

  private static final List<String> SCALES = List.of("", "k", "M", "G", "T", "P", "E");

  private Numbers() {}

  /** A share from 0 to 1, as {@code 45.3 %}. */
  public static String percent(Double share) {
    return share == null ? NONE : format("%.1f", 100 * share) + SPACE + "%";
  }

  /** The same with its spread, as {@code 45.3 ± 0.4 %}. */
  public static String percent(Double share, Double deviation) {
    return share == null || deviation == null
        ? percent(share)
        : format("%.1f ± %.1f", 100 * share, 100 * deviation) + SPACE + "%";
  }

  /** A configured share without rounding, as {@code 12.5 %}. */
  public static String share(double share) {
    return digits(100 * share, 4) + SPACE + "%";
  }

  /** A difference of shares in percentage points, as {@code +1.2}. */
  public static String points(Double difference) {
    return difference == null ? NONE : format("%+.1f", 100 * difference).replace('-', '−');
  }

  /** The same with the margin of its confidence interval, as {@code +1.2 ± 0.9}. */
  public static String points(Double difference, Double margin) {
    return points(difference) + (margin == null ? "" : format(" ± %.1f", 100 * margin));
  }

  /** A factor, as {@code 1.31×}. */
  public static String times(Double factor) {
    return factor == null ? NONE : format("%.2f", factor) + "×";
  }

  /** A loss or another plain number. */
  public static String loss(Double value) {
    return value == null ? NONE : format("%.3f", value);
  }

  /** A stretch of time, as {@code 0.4 s}, {@code 52 s}, {@code 4:05 min} or {@code 3:05 h}. */
  public static String time(Double seconds) {
    if (seconds == null) {
      return NONE;
    }
    if (seconds < 10) {
      return format("%.1f", seconds) + SPACE + "s";
    }
    return Durations.text(seconds).replace(' ', SPACE);
  }

  /** A count in full, as {@code 54 000}. */
  public static String count(long count) {
    return format("%,d", count).replace(',', '\u202f');
  }

  /** A large amount, as {@code 1.85 M} or {@code 12.3 TFLOP}. */
  public static String amount(double amount, String unit) {
    int scale = 0;
    double scaled = amount;
    while (Math.abs(scaled) >= 999.5 && scale < SCALES.size() - 1) {
      scaled /= 1000;
      scale++;
    }
    return digits(scaled, 3)
        + (scale == 0 && unit.isEmpty() ? "" : SPACE)
        + SCALES.get(scale)
        + unit;
  }

  /** Floating-point operations, as {@code 12.3 TFLOP}; a dash if unknown. */
  public static String flops(Double flops) {
    return flops == null ? NONE : amount(flops, "FLOP");
  }

  /**
   * A number with the given count of significant digits, without an exponent unless it is far from
   * 1.
   */
  public static String digits(double value, int digits) {
    if (value == 0 || !Double.isFinite(value)) {
      return value == 0 ? "0" : String.valueOf(value);
    }
    BigDecimal rounded =
        BigDecimal.valueOf(value).round(new MathContext(digits)).stripTrailingZeros();
    double size = Math.abs(value);
    return size < 1e-4 || size >= 1e9 ? Decimals.scientific(rounded) : rounded.toPlainString();
  }

  /** A coordinate of a drawing, in tenths of a pixel. */
  static String coordinate(double pixels) {
    String text = format("%.1f", pixels);
    return text.endsWith(".0") ? text.substring(0, text.length() - 2) : text;
  }

  private static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
