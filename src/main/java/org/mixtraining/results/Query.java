package org.mixtraining.results;

import java.io.PrintStream;
import java.util.List;
import org.apache.spark.SparkThrowable;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.config.Causes;
import org.mixtraining.config.UserException;

/**
 * Execution of SQL over the {@linkplain Tables#register registered} tables, with printed results.
 *
 * @param spark the session the tables are registered in
 * @param format output format of the results
 * @param out where results are printed
 */
public record Query(SparkSession spark, Format format, PrintStream out) {

  /**
   * Runs statements, separated by semicolons, and prints the result of each as soon as it is
   * available, separated by blank lines. A statement that has no columns (such as {@code create
   * view}) prints nothing.
   *
   * @throws UserException if there is no statement, or Spark rejects one
   */
  public void run(String sql) {
    List<String> statements = Statements.split(sql);
    if (statements.isEmpty()) {
      throw new UserException(
          "sql: no statement given; expected SQL over " + String.join(", ", Tables.names()));
    }
    String separator = "";
    for (int i = 0; i < statements.size(); i++) {
      String where = statements.size() == 1 ? "sql" : "sql, statement " + (i + 1);
      QueryResult answer = answer(statements.get(i), where);
      if (!answer.columns().isEmpty()) {
        out.print(separator + format.print(answer));
        out.flush();
        separator = "\n";
      }
    }
  }

  private QueryResult answer(String statement, String where) {
    try {
      Dataset<Row> query = spark.sql(statement);
      return QueryResult.of(query);
    } catch (Exception e) {
      // Spark throws checked exceptions that it does not declare.
      throw Causes.of(e)
          .filter(Query::isUserError)
          .findFirst()
          .map(cause -> new UserException(where + ": " + brief(cause)))
          .orElseThrow(() -> new IllegalStateException(where + ": " + statement, e));
    }
  }

  /** Whether an error is due to the statement: only then Spark gives it an error class. */
  private static boolean isUserError(Throwable error) {
    return error instanceof AnalysisException
        || (error instanceof SparkThrowable named
            && named.getErrorClass() != null
            && !named.isInternalError());
  }

  /** Spark's message without the plan, the statement and advice on catalogs. */
  private static String brief(Throwable error) {
    if (!(error instanceof AnalysisException analysis)) {
      return error.getMessage().lines().findFirst().orElse("");
    }
    String message = analysis.message().strip().lines().findFirst().orElse("");
    if ("TABLE_OR_VIEW_NOT_FOUND".equals(analysis.getErrorClass())) {
      message =
          message.replaceFirst(" Verify the spelling.*", "")
              + " There are: "
              + String.join(", ", Tables.names())
              + ".";
    }
    return analysis.line().isEmpty()
        ? message
        : "%s (line %s, position %s)"
            .formatted(message, analysis.line().get(), analysis.startPosition().get());
  }
}
