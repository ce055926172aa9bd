package org.mixtraining.results;

import java.lang.reflect.Array;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import org.apache.commons.lang3.ClassUtils;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeUnit;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Types;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.mixtraining.config.KebabCase;

/** A column type, with its counterparts in Java, Parquet, Spark and the documentation. */
enum ColumnType {
  /** Strings, and enums in the spelling of the configuration: {@code TWO_PASS} is two-pass. */
  STRING(
      String.class,
      DataTypes.StringType,
      PrimitiveTypeName.BINARY,
      LogicalTypeAnnotation.stringType()),
  INT(Integer.class, DataTypes.IntegerType, PrimitiveTypeName.INT32, null),
  LONG(Long.class, DataTypes.LongType, PrimitiveTypeName.INT64, null),
  DOUBLE(Double.class, DataTypes.DoubleType, PrimitiveTypeName.DOUBLE, null),
  BOOLEAN(Boolean.class, DataTypes.BooleanType, PrimitiveTypeName.BOOLEAN, null),
  /** Instants, in microseconds. */
  TIMESTAMP(
      Instant.class,
      DataTypes.TimestampType,
      PrimitiveTypeName.INT64,
      LogicalTypeAnnotation.timestampType(true, TimeUnit.MICROS));

  private final Class<?> java;
  private final DataType spark;
  private final PrimitiveTypeName parquet;
  private final LogicalTypeAnnotation meaning; // in Parquet; null: the plain value

  ColumnType(
      Class<?> java, DataType spark, PrimitiveTypeName parquet, LogicalTypeAnnotation meaning) {
    this.java = java;
    this.spark = spark;
    this.parquet = parquet;
    this.meaning = meaning;
  }

  /** The type of a component, or null if there is no column for such values. */
  static ColumnType of(Class<?> type) {
    Class<?> boxed = type.isEnum() ? String.class : ClassUtils.primitiveToWrapper(type);
    return Arrays.stream(values()).filter(column -> column.java == boxed).findAny().orElse(null);
  }

  DataType spark() {
    return spark;
  }

  /**
   * A column of a file. Every one is optional, as it is in the files written before it was added.
   */
  Type parquet(String name) {
    return Types.optional(parquet).as(meaning).named(name);
  }

  /** A value as the type of a component; null, or a primitive's zero, if there is none. */
  static Object as(Class<?> type, Object value) {
    if (value == null && type.isPrimitive()) {
      return Array.get(Array.newInstance(type, 1), 0);
    }
    return value != null && type.isEnum() ? constant(type, (String) value) : value;
  }

  /** The value under a name, or null if absent. */
  Object value(Group group, String name) {
    if (!group.getType().containsField(name) || group.getFieldRepetitionCount(name) == 0) {
      return null;
    }
    return switch (this) {
      case STRING -> group.getString(name, 0);
      case INT -> group.getInteger(name, 0);
      case LONG -> group.getLong(name, 0);
      case DOUBLE -> group.getDouble(name, 0);
      case BOOLEAN -> group.getBoolean(name, 0);
      case TIMESTAMP -> Instant.EPOCH.plus(group.getLong(name, 0), ChronoUnit.MICROS);
    };
  }

  /** The enum constant of a name in kebab case. */
  private static Object constant(Class<?> type, String kebabCase) {
    return Arrays.stream(type.getEnumConstants())
        .filter(constant -> KebabCase.of((Enum<?>) constant).equals(kebabCase))
        .findAny()
        .orElseThrow(
            () -> new IllegalArgumentException(kebabCase + " is not a " + type.getSimpleName()));
  }

  /** Puts a value that is not null under a name. */
  void add(Group group, String name, Object value) {
    switch (this) {
      case STRING -> group.add(name, value instanceof Enum<?> e ? KebabCase.of(e) : (String) value);
      case INT -> group.add(name, (int) value);
      case LONG -> group.add(name, (long) value);
      case DOUBLE -> group.add(name, (double) value);
      case BOOLEAN -> group.add(name, (boolean) value);
      case TIMESTAMP -> group.add(name, ChronoUnit.MICROS.between(Instant.EPOCH, (Instant) value));
    }
  }
}
