package org.mixtraining.results;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.schema.MessageType;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.StructType;
import org.mixtraining.config.KebabCase;

/**
 * A result table as its row type declares it: name, and columns in order with their meanings.
 *
 * @param name the name in SQL
 * @param oneRowPer what a row stands for
 * @param columns in order, {@code run_id} first
 */
record Table(String name, String oneRowPer, List<Field> columns) {

  /**
   * A column.
   *
   * @param meaning with its unit
   * @param value of a row, where records group columns from the record in it
   */
  record Field(
      String name,
      ColumnType type,
      boolean nullable,
      String meaning,
      Function<Object, Object> value) {}

  static final String PARTITION = "run_id";

  /** The table of a row type: a record with {@link TableRow} and {@link Column}s. */
  static Table of(Class<?> row) {
    TableRow stored = row.getAnnotation(TableRow.class);
    if (stored == null) {
      throw new IllegalArgumentException(row.getSimpleName() + " lacks @TableRow");
    }
    List<Field> columns = fields(row, Function.identity()).toList();
    List<String> names = columns.stream().map(Field::name).toList();
    if (!names.get(0).equals(PARTITION) || names.stream().distinct().count() < names.size()) {
      throw new IllegalArgumentException(
          "columns of %s must be unique and start with %s: %s"
              .formatted(stored.table(), PARTITION, names));
    }
    return new Table(stored.table(), stored.oneRowPer(), columns);
  }

  private static Stream<Field> fields(Class<?> group, Function<Object, Object> ofRow) {
    return Arrays.stream(group.getRecordComponents())
        .flatMap(
            component -> {
              var value = ofRow.andThen(of -> call(component.getAccessor(), of));
              return component.getType().isRecord()
                  ? fields(component.getType(), value)
                  : Stream.of(field(component, value));
            });
  }

  private static Field field(RecordComponent component, Function<Object, Object> value) {
    Column column = component.getAnnotation(Column.class);
    Class<?> type = component.getType();
    ColumnType columnType = ColumnType.of(type);
    if (column == null || columnType == null) {
      throw new IllegalArgumentException(
          "%s.%s of type %s %s"
              .formatted(
                  component.getDeclaringRecord().getSimpleName(),
                  component.getName(),
                  type.getSimpleName(),
                  column == null ? "lacks @Column" : "cannot be a column"));
    }
    boolean boxed = Number.class.isAssignableFrom(type) || type == Boolean.class;
    String values =
        type.isEnum()
            ? Arrays.stream(type.getEnumConstants())
                .map(constant -> KebabCase.of((Enum<?>) constant))
                .collect(Collectors.joining(", ", " (", ")"))
            : "";
    return new Field(
        snakeCase(component.getName()),
        columnType,
        boxed || column.nullable(),
        column.value() + values,
        value);
  }

  /** The column of a record's component. */
  static String snakeCase(String camelCase) {
    return camelCase.replaceAll("(?<=[a-z0-9])(?=[A-Z])", "_").toLowerCase(Locale.ROOT);
  }

  /** The schema of its view in Spark. */
  StructType schema() {
    StructType schema = new StructType();
    for (Field column : columns) {
      schema = schema.add(column.name, column.type.spark(), true, column.meaning);
    }
    return schema;
  }

  /** The schema of its files: the partition is the directory, not a column. */
  MessageType parquet() {
    return new MessageType(name, stored().map(column -> column.type.parquet(column.name)).toList());
  }

  /** A row as a record of a file with {@link #parquet()}. */
  Group group(Object row) {
    return group(
        column -> {
          Object value = column.value.apply(row);
          if (value == null && !column.nullable) {
            throw new NullPointerException(name + "." + column.name + " is null");
          }
          return value;
        });
  }

  /** A record of a file as a row with {@link #schema()}. */
  Row row(String runId, Group record) {
    return RowFactory.create(
        columns.stream()
            .map(
                column ->
                    column.name.equals(PARTITION) ? runId : column.type.value(record, column.name))
            .toArray());
  }

  /** The same record with {@link #parquet()}, whichever version's file it is from. */
  Group adopt(Group older) {
    return group(column -> column.type.value(older, column.name));
  }

  private Group group(Function<Field, Object> values) {
    Group group = new SimpleGroup(parquet());
    stored()
        .forEach(
            column -> {
              Object value = values.apply(column);
              if (value != null) {
                column.type.add(group, column.name, value);
              }
            });
    return group;
  }

  /**
   * The row that {@link #group} made a record of; what an older file does not have is null, or
   * zero.
   */
  static <R extends ResultRow> R row(Class<R> type, String runId, Group group) {
    return type.cast(
        record(
            type,
            (column, of) ->
                column.equals(PARTITION)
                    ? runId
                    : ColumnType.as(of, ColumnType.of(of).value(group, column))));
  }

  /**
   * A record, and in it those of its groups.
   *
   * @param value that of a column, as the type of its component
   */
  static Object record(Class<?> type, BiFunction<String, Class<?>, Object> value) {
    RecordComponent[] components = type.getRecordComponents();
    Class<?>[] types =
        Arrays.stream(components).map(RecordComponent::getType).toArray(Class[]::new);
    Object[] values =
        Arrays.stream(components)
            .map(
                component ->
                    component.getType().isRecord()
                        ? record(component.getType(), value)
                        : value.apply(snakeCase(component.getName()), component.getType()))
            .toArray();
    try {
      var constructor = type.getDeclaredConstructor(types);
      constructor.setAccessible(true);
      return constructor.newInstance(values);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot make a " + type, e);
    }
  }

  /** Markdown: the columns with type and meaning. */
  String describe() {
    return columns.stream()
        .map(
            column ->
                "| `%s` | %s%s | %s |\n"
                    .formatted(
                        column.name,
                        column.type.spark().sql().toLowerCase(Locale.ROOT),
                        column.nullable ? ", or null" : "",
                        column.meaning))
        .collect(
            Collectors.joining(
                "",
                "### `%s`: one row per %s\n\n| column | type | meaning |\n|---|---|---|\n"
                    .formatted(name, oneRowPer),
                ""));
  }

  /** Its columns but the partition, which is a directory. */
  Stream<Field> stored() {
    return columns.stream().filter(column -> !column.name.equals(PARTITION));
  }

  private static Object call(Method accessor, Object target) {
    if (target == null) {
      throw new NullPointerException("group of column " + accessor.getName() + " is null");
    }
    try {
      return accessor.invoke(target);
    } catch (IllegalAccessException | InvocationTargetException e) {
      throw new IllegalStateException("cannot read " + accessor, e);
    }
  }
}
