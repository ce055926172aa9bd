package org.mixtraining.results;

import java.lang.reflect.Array;
import java.lang.reflect.RecordComponent;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;
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
        .map(row -> type.cast(record(type, row)))
        .toList();
  }

  private static Object record(Class<?> type, Row row) {
    RecordComponent[] components = type.getRecordComponents();
    Class<?>[] types =
        Arrays.stream(components).map(RecordComponent::getType).toArray(Class[]::new);
    Object[] values = new Object[components.length];
    for (int i = 0; i < components.length; i++) {
      values[i] =
          types[i].isRecord()
              ? record(types[i], row)
              : value(row.getAs(Table.snakeCase(components[i].getName())), types[i]);
    }
    try {
      var constructor = type.getDeclaredConstructor(types);
      constructor.setAccessible(true);
      return constructor.newInstance(values);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot make a " + type, e);
    }
  }

  private static Object value(Object value, Class<?> type) {
    if (value == null) {
      return type.isPrimitive() ? Array.get(Array.newInstance(type, 1), 0) : null;
    }
    if (type.isEnum()) {
      return ColumnType.constant(type, (String) value);
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
