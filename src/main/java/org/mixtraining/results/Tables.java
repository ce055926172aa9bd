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
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
import org.apache.parquet.example.data.Group;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.mixtraining.config.Location;
import org.mixtraining.config.RunConfig;
import org.mixtraining.config.UserException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The result tables under {@code <output>/tables}: written by the driver, read with SQL.
 *
 * <p>A row is stored exactly once however often it is written: its part replaces the one before, in
 * one step where the file system can (local, HDFS).
 */
public final class Tables {
  private static final Logger LOG = LoggerFactory.getLogger(Tables.class);

  static final List<Table> ALL =
      Arrays.stream(ResultRow.class.getPermittedSubclasses()).map(Table::of).toList();
  private static final String EPOCH = "epoch";
  private static final int NO_EPOCH = 0;

  private final Path root;
  private final Configuration conf;
  private Optional<Catalog> catalog = Optional.empty();

  /** Tables below an output directory, of any file system that Hadoop knows. */
  public Tables(Configuration conf, String output) {
    this.root = root(output);
    this.conf = conf;
  }

  /** From now on what is written or deleted is so in a catalog too, and there first. */
  public void also(Catalog other) {
    catalog = Optional.of(other);
  }

  /** Makes the catalog, if there is one, hold of a run what the files do. */
  public void publish(String runId) {
    if (catalog.isPresent()) {
      ALL.forEach(table -> publish(table, runId, partition(table, runId).records()));
    }
  }

  private void publish(Table table, String runId, List<Group> records) {
    catalog.ifPresent(other -> other.replace(table, runId, records));
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

  /**
   * Stores a row even if the catalog does not take it, as where Spark is gone or stops working: the
   * catalog has it from the run's next start.
   */
  public void writeInAnyCase(ResultRow row) {
    try {
      write(row);
    } catch (UserException | IllegalStateException e) {
      LOG.warn("{}; the catalog gets this row when the run is started again", e.getMessage());
      Optional<Catalog> other = catalog;
      catalog = Optional.empty();
      try {
        write(row);
      } finally {
        catalog = other;
      }
    }
  }

  /** The row of a run, if it has been recorded. */
  public Optional<RunRow> run(String runId) {
    return partition(Table.of(RunRow.class), runId).records("run").stream()
        .findFirst()
        .map(group -> Table.row(RunRow.class, runId, group));
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
    deleteSummary(runId);
    ALL.forEach(table -> delete(table, runId));
  }

  /** Deletes a run's row and summary; the rows of its epochs stay. */
  public void forgetStatus(String runId) {
    deleteSummary(runId);
    delete(Table.of(RunRow.class), runId);
  }

  /** Deletes a run's membership in a comparison; the run itself stays. */
  public void forgetPlace(String runId) {
    delete(Table.of(ComparisonRow.class), runId);
  }

  private void delete(Table table, String runId) {
    Partition partition = partition(table, runId);
    publish(table, runId, List.of());
    partition.delete();
  }

  private void deleteSummary(String runId) {
    Partition.delete(RunSummary.directory(root.getParent(), RunConfig.checkedId(runId)), conf);
  }

  private void writePart(
      Table table, String runId, String part, int epoch, List<? extends ResultRow> rows) {
    Partition partition = partition(table, runId);
    List<Group> records = new ArrayList<>(rows.stream().map(table::group).toList());
    if (epoch != NO_EPOCH) {
      partition.records(part).stream()
          .map(table::adopt)
          .filter(other -> other.getInteger(EPOCH, 0) != epoch)
          .forEach(records::add);
      records.sort(Comparator.comparingInt(record -> record.getInteger(EPOCH, 0)));
    }
    if (catalog.isPresent()) {
      List<Group> all = partition.recordsBut(part);
      all.addAll(records);
      publish(table, runId, all);
    }
    partition.write(part, records);
  }

  private Partition partition(Table table, String runId) {
    return new Partition(root, conf, table, runId);
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
      throw Partition.unsupported(e, output);
    } catch (IOException e) {
      throw unreachable(e, root);
    }
    View.registerAll(spark);
  }

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
      throw Partition.unsupported(e, root.getParent().toString());
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

  private static Path root(String output) {
    return new Path(Location.path(output), "tables");
  }
}
