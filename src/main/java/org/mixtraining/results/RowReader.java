package org.mixtraining.results;

import java.sql.Timestamp;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.SparkSession;

/**
 * Reader of the {@linkplain Tables#register registered} tables as records.
 *
 * @param spark the session the tables are registered in
 */
public record RowReader(SparkSession spark) {

  /**
   * The rows of a query. Each component of the record is the column of its name in snake_case, and
   * a record in it is more columns, as in the rows of the tables. Where a column is null, so is the
   * component; of a primitive one, zero.
   *
   * @param arguments what the query's {@code :names} stand for
   */
  public <R extends Record> List<R> rows(Class<R> type, String sql, Map<String, Object> arguments) {
    return spark.sql(sql, arguments).collectAsList().stream()
        .map(row -> type.cast(Table.record(type, (column, of) -> value(row.getAs(column), of))))
        .toList();
  }

  private static Object value(Object value, Class<?> type) {
    if (value == null || type.isEnum()) {
      return ColumnType.as(type, value);
    }
    return switch (ColumnType.of(type)) {
      case STRING, BOOLEAN -> value;
      case INT -> ((Number) value).intValue();
      case LONG -> ((Number) value).longValue();
      case DOUBLE -> ((Number) value).doubleValue();
      case TIMESTAMP -> value instanceof Timestamp stamp ? stamp.toInstant() : (Instant) value;
    };
  }
}
