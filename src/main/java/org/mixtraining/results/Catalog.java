package org.mixtraining.results;

import static java.util.stream.Collectors.joining;

import java.lang.reflect.InvocationTargetException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.commons.lang3.reflect.MethodUtils;
import org.apache.parquet.example.data.Group;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructField;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;

/**
 * The result tables in a catalog of Spark's, beside the files: as Iceberg's or Delta's tables, or
 * of any other format that overwrites rows by a condition. All rows that a table has of a run are
 * replaced in one commit, and are a partition: so a repeated write changes nothing, and none
 * depends on which files earlier ones or a compaction have left.
 */
public final class Catalog {
  private static final String SESSION_CATALOG = "spark_catalog";

  private final SparkSession spark;
  private final String place;

  private Catalog(SparkSession spark, String place) {
    this.spark = spark;
    this.place = place;
  }

  /**
   * That of a configuration, if it names one. Tables and columns that are missing there are made.
   *
   * @throws UserException if there is no session or no such catalog, or a table cannot be made
   */
  public static synchronized Optional<Catalog> of(
      JobConfig.Results results, Optional<SparkSession> session) {
    if (results.catalog().isEmpty()) {
      return Optional.empty();
    }
    Catalog catalog =
        new Catalog(
            session.orElseThrow(
                () ->
                    refused(
                        results.catalog(),
                        "is written by a Spark session, and this run has none; train in one, or leave the key empty")),
            results.catalog());
    catalog.check();
    catalog.make();
    return Optional.of(catalog);
  }

  private static UserException refused(String place, String why) {
    return new UserException("mixtraining.results.catalog = %s: %s".formatted(place, why));
  }

  private String name() {
    return place.substring(0, place.indexOf('.'));
  }

  private void check() {
    Object manager = spark.sessionState().catalogManager();
    try {
      // By reflection, since its type is a class in Spark 3.5 and an interface in 4.2.
      MethodUtils.invokeMethod(manager, "catalog", name());
    } catch (InvocationTargetException e) {
      throw refused(
          place,
          "this Spark session has no catalog %s (%s); spark.sql.catalog.%s names its class, which must be on Spark's class path"
              .formatted(name(), brief(e.getTargetException()), name()));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this Spark's catalogs cannot be asked for", e);
    }
  }

  /** Makes what is missing. */
  private void make() {
    String format =
        name().equals(SESSION_CATALOG)
            ? " using " + spark.conf().get("spark.sql.sources.default")
            : "";
    try {
      spark.sql("create namespace if not exists " + quoted(place));
      for (Table table : Tables.ALL) {
        spark.sql(
            "create table if not exists %s (%s)%s partitioned by (%s) comment %s"
                .formatted(
                    of(table),
                    columns(table.columns().stream()),
                    format,
                    Table.PARTITION,
                    Dialect.quoted("one row per " + table.oneRowPer())));
        List<String> there = List.of(spark.table(of(table)).columns());
        List<Table.Field> newer =
            table.columns().stream().filter(column -> !there.contains(column.name())).toList();
        if (!newer.isEmpty()) {
          spark.sql(
              "alter table %s add columns (%s)".formatted(of(table), columns(newer.stream())));
        }
      }
    } catch (Exception e) {
      throw refused(place, "its tables cannot be made: " + brief(e));
    }
  }

  private static String columns(Stream<Table.Field> columns) {
    return columns.map(Dialect::column).collect(joining(", "));
  }

  /** The first line of what Spark says. */
  private static String brief(Throwable e) {
    String message =
        e instanceof AnalysisException a ? a.message() : String.valueOf(e.getMessage());
    return message.lines().findFirst().orElse("");
  }

  /** The name of a table in SQL. */
  private String of(Table table) {
    return quoted(place + "." + table.name());
  }

  private static String quoted(String names) {
    return Arrays.stream(names.split("\\.")).map(name -> "`" + name + "`").collect(joining("."));
  }

  /**
   * Replaces all rows that a table has of a run.
   *
   * @param records of the table's files
   * @throws UserException if the table's format cannot do that
   * @throws IllegalStateException if it fails; what was there before stays
   */
  void replace(Table table, String runId, List<Group> records) {
    Column ofRun = functions.col(Table.PARTITION).equalTo(runId);
    try {
      Dataset<Row> there = spark.table(of(table));
      if (records.isEmpty() && there.where(ofRun).isEmpty()) {
        return;
      }
      List<Row> rows = records.stream().map(record -> table.row(runId, record)).toList();
      List<String> known = table.columns().stream().map(Table.Field::name).toList();
      spark
          .createDataFrame(rows, table.schema())
          .coalesce(1)
          .select(
              Arrays.stream(there.schema().fields())
                  .map(
                      field ->
                          known.contains(field.name()) ? functions.col(field.name()) : none(field))
                  .toArray(Column[]::new))
          .writeTo(of(table))
          .overwrite(ofRun);
    } catch (AnalysisException e) {
      throw refused(place, "%s cannot be written: %s".formatted(table.name(), brief(e)));
    } catch (Exception e) {
      throw new IllegalStateException(
          "cannot write %s of run %s to the catalog %s".formatted(table.name(), runId, place), e);
    }
  }

  /** A column that a newer version has made. */
  private static Column none(StructField field) {
    return functions.lit(null).cast(field.dataType()).as(field.name());
  }
}
