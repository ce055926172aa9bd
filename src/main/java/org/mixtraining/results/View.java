package org.mixtraining.results;

import static java.util.stream.Collectors.joining;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.apache.commons.math3.distribution.TDistribution;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.api.java.UDF2;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.MetadataBuilder;
import org.mixtraining.config.Text;

/**
 * An SQL view over the tables for a frequent question. Its text is a resource that starts with its
 * documentation in comments: what a row stands for, and then each column.
 *
 * @param meaning what a row stands for
 * @param columns in order
 */
record View(String name, String meaning, List<Documented> columns, String sql) {

  static final List<View> ALL =
      Stream.of("phase_cost", "slowest_workers", "task_accuracy", "confusion", "pareto", "settings")
          .map(View::read)
          .toList();

  /**
   * A column.
   *
   * @param meaning with its unit
   */
  record Documented(String name, String meaning) {

    private static Documented of(String line) {
      String[] parts = line.split(": ", 2);
      return new Documented(parts[0], parts[1]);
    }

    private Column column() {
      var comment = new MetadataBuilder().putString("comment", meaning).build();
      return functions.col(name).as(name, comment);
    }
  }

  private static View read(String name) {
    String text = Text.resource(View.class, name + ".sql");
    List<String> comments =
        text.lines()
            .takeWhile(line -> line.startsWith("--"))
            .map(line -> line.substring(2))
            .collect(joining("\n"))
            .replaceAll("\n {3,}", " ")
            .lines()
            .map(String::strip)
            .toList();
    return new View(
        name,
        comments.get(0),
        comments.stream().skip(2).map(Documented::of).toList(),
        text.lines().dropWhile(line -> line.startsWith("--")).collect(joining("\n")));
  }

  /**
   * Registers it in a session in which the tables are registered, with the meanings of its columns.
   *
   * @throws IllegalStateException if its columns are not those that are documented
   */
  void register(SparkSession spark) {
    Dataset<Row> rows = spark.sql(sql);
    List<String> documented = columns.stream().map(Documented::name).toList();
    if (!documented.equals(Arrays.asList(rows.columns()))) {
      throw new IllegalStateException(
          "view %s has the columns %s, and %s are documented"
              .formatted(name, List.of(rows.columns()), documented));
    }
    rows.select(columns.stream().map(Documented::column).toArray(Column[]::new))
        .createOrReplaceTempView(name);
  }

  /** Registers all of them, and the function that they need. */
  static void registerAll(SparkSession spark) {
    if (!spark.catalog().functionExists("student_t")) {
      spark.udf().register("student_t", functions.udf(STUDENT_T, DataTypes.DoubleType));
    }
    ALL.forEach(view -> view.register(spark));
  }

  /** A quantile of Student's t distribution; null without a degree of freedom. */
  private static final UDF2<Double, Long, Double> STUDENT_T =
      (probability, degrees) ->
          degrees < 1
              ? null
              : Double.valueOf(
                  new TDistribution(degrees).inverseCumulativeProbability(probability));

  /** Markdown: the columns with their meaning. */
  String describe() {
    return columns.stream()
        .map(column -> "| `%s` | %s |\n".formatted(column.name(), column.meaning()))
        .collect(
            joining(
                "",
                "### `%s` (view): %s\n\n| column | meaning |\n|---|---|\n".formatted(name, meaning),
                ""));
  }
}
