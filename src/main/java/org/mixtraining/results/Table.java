package org.mixtraining.results;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.schema.MessageType;
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
   * @param path accessors that lead from the row to the value, through the records that group
   *     columns
   */
  record Field(String name, ColumnType type, boolean nullable, String meaning, List<Method> path) {

    private Object value(Object row) {
      Object value = row;
      for (Method accessor : path) {
        if (value == null) {
          throw new NullPointerException("group of column " + name + " is null");
        }
        value = call(accessor, value);
      }
      return value;
    }
  }

  static final String PARTITION = "run_id";

  /** The table of a row type: a record with {@link TableRow} and {@link Column}s. */
  static Table of(Class<?> row) {
    TableRow stored = row.getAnnotation(TableRow.class);
    if (stored == null) {
      throw new IllegalArgumentException(row.getSimpleName() + " lacks @TableRow");
    }
    List<Field> columns = fields(row, List.of()).toList();
    List<String> names = columns.stream().map(Field::name).toList();
    if (!names.get(0).equals(PARTITION) || names.stream().distinct().count() < names.size()) {
      throw new IllegalArgumentException(
          "columns of %s must be unique and start with %s: %s"
              .formatted(stored.table(), PARTITION, names));
    }
    return new Table(stored.table(), stored.oneRowPer(), columns);
  }

  private static Stream<Field> fields(Class<?> group, List<Method> path) {
    return Arrays.stream(group.getRecordComponents())
        .flatMap(
            component -> {
              List<Method> here = new ArrayList<>(path);
              here.add(component.getAccessor());
              return component.getType().isRecord()
                  ? fields(component.getType(), here)
                  : Stream.of(field(component, here));
            });
  }

  private static Field field(RecordComponent component, List<Method> path) {
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
        List.copyOf(path));
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
    Group group = new SimpleGroup(parquet());
    stored()
        .forEach(
            column -> {
              Object value = column.value(row);
              if (value != null) {
                column.type.add(group, column.name, value);
              } else if (!column.nullable) {
                throw new NullPointerException(name + "." + column.name + " is null");
              }
            });
    return group;
  }

  /** The same record with {@link #parquet()}, whichever version's file it is from. */
  Group adopt(Group older) {
    Group group = new SimpleGroup(parquet());
    stored()
        .forEach(
            column -> {
              Object value = column.type.value(older, column.name);
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
    return type.cast(record(type, runId, group));
  }

  private static Object record(Class<?> type, String runId, Group group) {
    RecordComponent[] components = type.getRecordComponents();
    Class<?>[] types =
        Arrays.stream(components).map(RecordComponent::getType).toArray(Class[]::new);
    Object[] values = new Object[components.length];
    for (int i = 0; i < components.length; i++) {
      String column = snakeCase(components[i].getName());
      values[i] =
          column.equals(PARTITION)
              ? runId
              : types[i].isRecord()
                  ? record(types[i], runId, group)
                  : ColumnType.of(types[i]).value(group, column, types[i]);
    }
    try {
      return type.getDeclaredConstructor(types).newInstance(values);
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
    try {
      return accessor.invoke(target);
    } catch (IllegalAccessException | InvocationTargetException e) {
      throw new IllegalStateException("cannot read " + accessor, e);
    }
  }
}
