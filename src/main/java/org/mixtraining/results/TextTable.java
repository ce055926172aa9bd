package org.mixtraining.results;

import static java.util.stream.Collectors.joining;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.commons.lang3.StringUtils;
import org.mixtraining.config.Decimals;
import org.mixtraining.results.QueryResult.Heading;

/** A text table with aligned columns: numbers to the right, null as a dash. */
final class TextTable {
  /** Longest text of a cell; the only column of a query may be longer. */
  private static final int CUT = 80;

  private TextTable() {}

  static String print(QueryResult answer) {
    List<Heading> columns = answer.columns();
    int cut = columns.size() == 1 ? Integer.MAX_VALUE : CUT;
    List<List<String>> cells =
        answer.rows().stream()
            .map(row -> row.stream().map(value -> cell(value, cut)).toList())
            .toList();
    int[] widths =
        IntStream.range(0, columns.size())
            .map(
                i ->
                    cells.stream()
                        .mapToInt(row -> row.get(i).length())
                        .reduce(columns.get(i).name().length(), Math::max))
            .toArray();
    List<String> names = columns.stream().map(Heading::name).toList();
    List<String> rules = IntStream.of(widths).mapToObj("-"::repeat).toList();
    return Stream.concat(Stream.of(names, rules), cells.stream())
            .map(row -> line(row, columns, widths))
            .collect(joining())
        + (cells.isEmpty() ? "(no rows)\n" : "");
  }

  private static String line(List<String> row, List<Heading> columns, int[] widths) {
    return IntStream.range(0, widths.length)
            .mapToObj(i -> aligned(row.get(i), widths[i], columns.get(i).numeric()))
            .collect(joining("  "))
            .stripTrailing()
        + "\n";
  }

  private static String aligned(String text, int width, boolean right) {
    return right ? StringUtils.leftPad(text, width) : StringUtils.rightPad(text, width);
  }

  private static String cell(Object value, int cut) {
    if (value == null) {
      return "-";
    } else if (value instanceof Double || value instanceof Float) {
      return compact(((Number) value).doubleValue());
    } else if (value instanceof Instant instant) {
      return instant.truncatedTo(ChronoUnit.SECONDS).toString();
    }
    String text = Format.full(value).replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t");
    return text.length() <= cut ? text : text.substring(0, cut - 1) + "…";
  }

  /** Five digits, or all those before the point: 0.5543, 123457, 1.6384e16. */
  private static String compact(double value) {
    if (value == 0 || !Double.isFinite(value)) {
      return value == 0 ? "0" : String.valueOf(value);
    }
    BigDecimal exact = BigDecimal.valueOf(value);
    int whole = exact.precision() - exact.scale();
    if (whole > 7 || whole < -3) {
      return Decimals.scientific(exact.round(new MathContext(5)).stripTrailingZeros());
    }
    return exact
        .round(new MathContext(Math.max(5, whole), RoundingMode.HALF_UP))
        .stripTrailingZeros()
        .toPlainString();
  }
}
