package org.mixtraining.results;

import static java.util.stream.Collectors.joining;

/**
 * SQL dialect of a catalog, for statements that define the tables as external ones, with their
 * partitions.
 */
public enum Dialect {
  /** Hive, and others that read its catalog or AWS Glue's: Athena, Impala, Trino. */
  HIVE(
      """
      CREATE EXTERNAL TABLE IF NOT EXISTS `%1$s` (
      %2$s)
      COMMENT %3$s
      PARTITIONED BY (%4$s)
      STORED AS PARQUET
      LOCATION %5$s;
      MSCK REPAIR TABLE `%1$s`;
      """),
  /** Spark, with whichever catalog its session has. */
  SPARK(
      """
      CREATE TABLE IF NOT EXISTS `%1$s` (
      %2$s)
      USING PARQUET
      COMMENT %3$s
      PARTITIONED BY (%4$s)
      LOCATION %5$s;
      MSCK REPAIR TABLE `%1$s`;
      """);

  private final String statements;

  Dialect(String statements) {
    this.statements = statements;
  }

  String define(Table table, String location) {
    return statements.formatted(
        table.name(),
        table.stored().map(column -> "  " + column(column)).collect(joining(",\n")),
        quoted("one row per " + table.oneRowPer()),
        column(table.columns().get(0)),
        quoted(location));
  }

  static String column(Table.Field column) {
    return "`%s` %s COMMENT %s"
        .formatted(column.name(), column.type().spark().sql(), quoted(column.meaning()));
  }

  static String quoted(String text) {
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'";
  }
}
