package org.mixtraining.results;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toList;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.commons.math3.distribution.TDistribution;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
import org.apache.parquet.example.data.Group;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.api.java.UDF2;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.mixtraining.config.Location;
import org.mixtraining.config.RunConfig;
import org.mixtraining.config.UserException;

/**
 * The result tables under {@code <output>/tables}: written by the driver, read with SQL.
 *
 * <p>A row is stored exactly once however often it is written: its part replaces the one before, in
 * one step where the file system can (local, HDFS).
 */
public final class Tables {
  private static final List<Table> ALL =
      Arrays.stream(ResultRow.class.getPermittedSubclasses()).map(Table::of).toList();
  private static final String EPOCH = "epoch";
  private static final int NO_EPOCH = 0;

  private final Path root;
  private final Configuration conf;

  /** Tables below an output directory, of any file system that Hadoop knows. */
  public Tables(Configuration conf, String output) {
    this.root = root(output);
    this.conf = conf;
  }

  /** Stores one row. */
  public void write(ResultRow row) {
    write(List.of(row));
  }

  /**
   * Stores rows. All rows of a {@linkplain ResultRow#part part}, or of an epoch of it, must come in
   * one call.
   *
   * @throws UserException if a run id is not fit for a directory name
   * @throws UncheckedIOException if they cannot be written; what was there before stays
   */
  public void write(List<? extends ResultRow> rows) {
    record Key(Class<?> type, String runId, String part, int epoch) {}
    rows.stream()
        .collect(
            groupingBy(
                row ->
                    new Key(
                        row.getClass(),
                        RunConfig.checkedId(row.runId()),
                        row.part(),
                        row instanceof EpochScoped of ? of.epoch() : NO_EPOCH),
                LinkedHashMap::new,
                toList()))
        .forEach(
            (key, part) -> writePart(Table.of(key.type), key.runId, key.part, key.epoch, part));
  }

  /** The row of a run, if it has been recorded. */
  public Optional<RunRow> run(String runId) {
    Path run =
        new Path(partition(Table.of(RunRow.class), RunConfig.checkedId(runId)), "run.parquet");
    return read(run).stream().findFirst().map(group -> Table.row(RunRow.class, runId, group));
  }

  private List<Group> read(Path part) {
    try {
      return new Part(part, conf).read();
    } catch (UnsupportedFileSystemException e) {
      throw unsupported(e, root.getParent().toString());
    } catch (IOException | RuntimeException e) { // Parquet throws either where a file is damaged
      throw new UserException(
          "%s: cannot be read (%s); delete it to discard its rows".formatted(part, e.getMessage()));
    }
  }

  /** The summary of a run's row. */
  public RunSummary summary(RunRow row, RunSummary.Models models) {
    return RunSummary.of(row, models, qualified(root));
  }

  /**
   * Puts a run's {@code summary.json} beside the tables.
   *
   * @throws UncheckedIOException if it cannot be written; what was there before stays
   */
  public void write(RunSummary summary) {
    try {
      summary.write(root.getParent(), conf);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write the summary of " + summary.runId(), e);
    }
  }

  private String qualified(Path path) {
    try {
      return path.getFileSystem(conf).makeQualified(path).toString();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot reach " + path, e);
    }
  }

  /** Deletes a run: all its rows and its summary. */
  public void delete(String runId) {
    delete(RunSummary.directory(root.getParent(), RunConfig.checkedId(runId)));
    for (Table table : ALL) {
      delete(partition(table, RunConfig.checkedId(runId)));
    }
  }

  /** Deletes a run's row and summary; the rows of its epochs stay. */
  public void forgetStatus(String runId) {
    delete(RunSummary.directory(root.getParent(), RunConfig.checkedId(runId)));
    delete(partition(Table.of(RunRow.class), RunConfig.checkedId(runId)));
  }

  /** Deletes a run's membership in a comparison; the run itself stays. */
  public void forgetPlace(String runId) {
    delete(partition(Table.of(ComparisonRow.class), RunConfig.checkedId(runId)));
  }

  private void delete(Path directory) {
    try {
      directory.getFileSystem(conf).delete(directory, true);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete " + directory, e);
    }
  }

  private void writePart(
      Table table, String runId, String part, int epoch, List<? extends ResultRow> rows) {
    Path run = partition(table, runId);
    Path file = new Path(run, part + ".parquet");
    List<Group> records = new ArrayList<>(rows.stream().map(table::group).toList());
    if (epoch != NO_EPOCH) {
      read(file).stream()
          .map(table::adopt)
          .filter(other -> other.getInteger(EPOCH, 0) != epoch)
          .forEach(records::add);
      records.sort(Comparator.comparingInt(record -> record.getInteger(EPOCH, 0)));
    }
    try {
      new Part(file, conf).write(table, records);
    } catch (UnsupportedFileSystemException e) {
      throw unsupported(e, root.getParent().toString());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write %s to %s".formatted(part, run), e);
    }
  }

  private Path partition(Table table, String runId) {
    return new Path(new Path(root, table.name()), Table.PARTITION + "=" + runId);
  }

  /**
   * Makes the tables below an output directory, and the views over them, known to SQL in a session.
   * A table that no run has written is empty.
   *
   * @throws UserException if there are no tables
   */
  public static void register(SparkSession spark, String output) {
    Path root = root(output);
    try {
      FileSystem files = existing(root, spark.sparkContext().hadoopConfiguration());
      for (Table table : ALL) {
        read(spark, table, new Path(root, table.name()), files)
            .createOrReplaceTempView(table.name());
      }
    } catch (UnsupportedFileSystemException e) {
      throw unsupported(e, output);
    } catch (IOException e) {
      throw unreachable(e, root);
    }
    if (!spark.catalog().functionExists("student_t")) {
      spark.udf().register("student_t", functions.udf(STUDENT_T, DataTypes.DoubleType));
    }
    View.ALL.forEach(view -> view.register(spark));
  }

  /** A quantile of Student's t distribution; null without a degree of freedom. */
  private static final UDF2<Double, Long, Double> STUDENT_T =
      (probability, degrees) ->
          degrees < 1
              ? null
              : Double.valueOf(
                  new TDistribution(degrees).inverseCumulativeProbability(probability));

  private static Dataset<Row> read(SparkSession spark, Table table, Path path, FileSystem files)
      throws IOException {
    if (!files.exists(path)) {
      return spark.createDataFrame(List.of(), table.schema());
    }
    // The partition comes last, and without its comment.
    Column[] columns =
        Arrays.stream(table.schema().fields())
            .map(field -> functions.col(field.name()).as(field.name(), field.metadata()))
            .toArray(Column[]::new);
    return spark
        .read()
        .options(Location.LITERALLY)
        .schema(table.schema())
        .parquet(path.toString())
        .select(columns);
  }

  /** Names of all tables and views. */
  static List<String> names() {
    return Stream.concat(ALL.stream().map(Table::name), View.ALL.stream().map(View::name)).toList();
  }

  /** Documentation of the tables and views, in Markdown. */
  public static String describe() {
    return Stream.concat(ALL.stream().map(Table::describe), View.ALL.stream().map(View::describe))
        .collect(joining("\n"));
  }

  /**
   * SQL statements, each ended by a semicolon, that make the tables of which there are rows known
   * to a catalog.
   *
   * @throws UserException if there are no tables
   */
  public String define(Dialect dialect) {
    try {
      FileSystem files = existing(root, conf);
      List<String> statements = new ArrayList<>();
      for (Table table : ALL) {
        Path at = files.makeQualified(new Path(root, table.name()));
        if (files.exists(at)) {
          statements.add(dialect.define(table, at.toString()));
        }
      }
      return String.join("\n", statements);
    } catch (UnsupportedFileSystemException e) {
      throw unsupported(e, root.getParent().toString());
    } catch (IOException e) {
      throw unreachable(e, root);
    }
  }

  private static FileSystem existing(Path root, Configuration conf) throws IOException {
    FileSystem files = root.getFileSystem(conf);
    if (!files.exists(root)) {
      throw new UserException(
          "mixtraining.run.output: no result tables at %s; train a run first, or give the output directory of one"
              .formatted(root));
    }
    return files;
  }

  private static UncheckedIOException unreachable(IOException e, Path root) {
    return new UncheckedIOException("cannot read the result tables at " + root, e);
  }

  private static UserException unsupported(UnsupportedFileSystemException e, String output) {
    return new UserException("mixtraining.run.output: " + output + ": " + e.getMessage());
  }

  private static Path root(String output) {
    return new Path(Location.path(output), "tables");
  }
}
