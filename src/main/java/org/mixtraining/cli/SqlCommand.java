package org.mixtraining.cli;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.mixtraining.config.Text;
import org.mixtraining.config.UserException;
import org.mixtraining.results.Dialect;
import org.mixtraining.results.Format;
import org.mixtraining.results.Query;
import org.mixtraining.results.Tables;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sql}: queries of the result tables. */
@Command(
    name = "sql",
    mixinStandardHelpOptions = true,
    description =
        "Runs SQL over the result tables (mixtraining.run.output): those that --describe lists, and any Parquet file.")
final class SqlCommand implements Callable<Integer> {

  @Mixin private JobOptions options;

  @ArgGroup(multiplicity = "1")
  private Asked asked;

  @ArgGroup private Machine machine;

  private static final class Asked {
    @Option(names = "-e", paramLabel = "SQL", description = "Statements, separated by semicolons.")
    private String statements;

    @Option(names = "-f", paramLabel = "FILE", description = "The statements of a file.")
    private Path file;

    @Option(
        names = "--describe",
        description = "Print the documentation of every table, view and column, in Markdown.")
    private boolean describe;

    @Option(
        names = "--create-tables",
        arity = "0..1",
        fallbackValue = "print",
        paramLabel = "print|run",
        description =
            "Print SQL that defines the tables in a Hive or Glue catalog, or run it in that of the Spark session.")
    private Definitions definitions;
  }

  private enum Definitions {
    PRINT,
    RUN
  }

  /** Answers for programs. */
  private static final class Machine {
    @Option(names = "--json", description = "Each result as a JSON array of objects.")
    private boolean json;

    @Option(names = "--csv", description = "Each result as CSV with a header.")
    private boolean csv;
  }

  @Override
  public Integer call() {
    String output = options.config().run().output();
    if (asked.describe) {
      System.out.print(Tables.describe());
    } else if (asked.definitions == Definitions.PRINT) {
      System.out.print(new Tables(Sessions.hadoop(), output).define(Dialect.HIVE));
    } else if (asked.definitions == Definitions.RUN) {
      String statements = new Tables(Sessions.hadoop(), output).define(Dialect.SPARK);
      try (Sessions.Opened opened = Sessions.local("sql")) {
        new Query(opened.spark(), format(), System.out).run(statements);
        options.progress("the tables of %s are in the catalog".formatted(output));
      }
    } else {
      String statements = asked.file == null ? asked.statements : text(asked.file);
      try (Sessions.Opened opened = Sessions.local("sql")) {
        Tables.register(opened.spark(), output);
        new Query(opened.spark(), format(), System.out).run(statements);
      }
    }
    return 0;
  }

  private static String text(Path file) {
    try {
      return Text.of(Files.readAllBytes(file));
    } catch (CharacterCodingException e) {
      throw new UserException("-f %s: %s".formatted(file, e.getMessage()));
    } catch (IOException e) {
      throw new UserException("-f %s: cannot be read (%s)".formatted(file, e));
    }
  }

  private Format format() {
    if (machine == null) {
      return Format.TEXT;
    }
    return machine.json ? Format.JSON : Format.CSV;
  }
}
