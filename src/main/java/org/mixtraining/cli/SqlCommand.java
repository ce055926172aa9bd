package org.mixtraining.cli;

import java.util.concurrent.Callable;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.results.Format;
import org.mixtraining.results.Query;
import org.mixtraining.results.Tables;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sql}: questions to the result tables. */
@Command(
    name = "sql",
    mixinStandardHelpOptions = true,
    description = "Runs SQL over the result tables (run.output): runs, epochs, workers and views.")
final class SqlCommand implements Callable<Integer> {

  @Mixin private JobOptions options;

  @Option(
      names = "-e",
      paramLabel = "SQL",
      required = true,
      description = "Statements, separated by semicolons.")
  private String statements;

  @ArgGroup private Machine machine;

  /** Answers for programs. */
  private static final class Machine {
    @Option(names = "--json", description = "Each answer as a JSON array of objects.")
    private boolean json;

    @Option(names = "--csv", description = "Each answer as CSV with a header.")
    private boolean csv;
  }

  @Override
  public Integer call() {
    String output = options.config().run().output();
    try (SparkSession spark = Sessions.local("sql")) {
      Tables.register(spark, output);
      new Query(spark, format(), System.out).run(statements);
    }
    return 0;
  }

  private Format format() {
    if (machine == null) {
      return Format.TEXT;
    }
    return machine.json ? Format.JSON : Format.CSV;
  }
}
