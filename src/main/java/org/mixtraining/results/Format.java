package org.mixtraining.results;

import static java.util.stream.Collectors.joining;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.mixtraining.config.UserException;

/** Output format of a query's rows. */
public enum Format {
  /** Aligned columns for reading: numbers rounded, long texts cut. */
  TEXT(TextTable::print),

  /** One array of objects, an object a line; numbers in full, NaN and the infinities as text. */
  JSON(Format::json),

  /** RFC 4180 with a header line; numbers in full, null as nothing, the empty text as "". */
  CSV(Format::csv);

  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .enable(StreamWriteFeature.WRITE_BIGDECIMAL_AS_PLAIN)
          .addModule(new SimpleModule().addSerializer(Instant.class, ToStringSerializer.instance))
          .build();

  private final Function<QueryResult, String> printer;

  Format(Function<QueryResult, String> printer) {
    this.printer = printer;
  }

  /** The rows as text, its last line ended. */
  public String print(QueryResult answer) {
    return printer.apply(answer);
  }

  private static String json(QueryResult answer) {
    List<String> names = answer.columns().stream().map(QueryResult.Heading::name).toList();
    for (String name : names) {
      if (names.indexOf(name) < names.lastIndexOf(name)) {
        throw new UserException(
            "sql: two columns are named %s; rename one of them (\"as ...\") to print JSON"
                .formatted(name));
      }
    }
    return answer.rows().isEmpty()
        ? "[]\n"
        : answer.rows().stream()
            .map(row -> json(object(names, row)))
            .collect(joining(",\n", "[\n", "\n]\n"));
  }

  private static String csv(QueryResult answer) {
    List<String> header = answer.columns().stream().map(QueryResult.Heading::name).toList();
    return Stream.concat(Stream.of(header), answer.rows().stream())
        .map(row -> row.stream().map(Format::csv).collect(joining(",", "", "\n")))
        .collect(joining());
  }

  /** A value in full. */
  static String full(Object value) {
    if (value instanceof BigDecimal decimal) {
      return decimal.toPlainString();
    }
    return value instanceof List || value instanceof Map ? json(value) : value.toString();
  }

  private static String csv(Object value) {
    if (value == null) {
      return "";
    }
    String text = full(value);
    return text.isEmpty() || text.matches("(?s).*[\",\r\n].*")
        ? '"' + text.replace("\"", "\"\"") + '"'
        : text;
  }

  static String json(Object value) {
    try {
      return MAPPER.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("cannot print as JSON: " + value, e);
    }
  }

  private static Map<String, Object> object(List<String> names, List<Object> row) {
    Map<String, Object> object = new LinkedHashMap<>();
    for (int i = 0; i < row.size(); i++) {
      object.put(names.get(i), row.get(i));
    }
    return object;
  }
}
