package org.mixtraining.results;

import java.sql.Timestamp;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.NumericType;
import scala.collection.JavaConverters;

/**
 * The result of a query as plain Java values: null, Boolean, Number, String, Instant, List, and Map
 * by name.
 */
public record QueryResult(List<Heading> columns, List<List<Object>> rows) {

  /** A column's name, and whether it holds numbers. */
  public record Heading(String name, boolean numeric) {}

  static QueryResult of(Dataset<Row> query) {
    List<Heading> columns =
        Arrays.stream(query.schema().fields())
            .map(field -> new Heading(field.name(), field.dataType() instanceof NumericType))
            .toList();
    return new QueryResult(
        columns, query.collectAsList().stream().map(QueryResult::values).toList());
  }

  private static List<Object> values(Row row) {
    return IntStream.range(0, row.size()).mapToObj(i -> plain(row.get(i))).toList();
  }

  private static Object plain(Object value) {
    if (value == null
        || value instanceof Number
        || value instanceof Boolean
        || value instanceof Instant) {
      return value;
    } else if (value instanceof Timestamp timestamp) {
      return timestamp.toInstant();
    } else if (value instanceof Row struct) {
      List<Object> values = values(struct);
      Map<String, Object> named = new LinkedHashMap<>();
      for (int i = 0; i < values.size(); i++) {
        named.put(struct.schema().fieldNames()[i], values.get(i));
      }
      return named;
    } else if (value instanceof scala.collection.Seq<?> seq) {
      return JavaConverters.seqAsJavaList(seq).stream().map(QueryResult::plain).toList();
    } else if (value instanceof scala.collection.Map<?, ?> map) {
      Map<String, Object> named = new LinkedHashMap<>();
      JavaConverters.mapAsJavaMap(map)
          .forEach((key, element) -> named.put(String.valueOf(plain(key)), plain(element)));
      return named;
    }
    return value.toString();
  }
}
