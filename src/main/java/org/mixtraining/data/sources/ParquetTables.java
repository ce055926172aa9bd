package org.mixtraining.data.sources;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.column.statistics.IntStatistics;
import org.apache.parquet.column.statistics.LongStatistics;
import org.apache.parquet.column.statistics.Statistics;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnPath;
import org.apache.parquet.hadoop.metadata.ParquetMetadata;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.schema.MessageType;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.Location;
import org.mixtraining.config.UserException;
import org.mixtraining.data.Listing;
import org.mixtraining.data.Note;
import org.mixtraining.data.Split;

/**
 * The Parquet tables of a directory, by their footers. The split of a table is the one that its
 * name, or else its directory's, begins with ({@code train-00000-of-00002.parquet}, {@code
 * validation/0000.parquet}); otherwise it is the train split.
 *
 * @param root directory that the tables are below
 */
record ParquetTables(String root, List<Table> tables, List<Note> notes) {
  private static final String EXPECTED =
      "one with Parquet tables of image: struct<bytes, path> or binary, and label: integer or string";
  private static final String ENDING = ".parquet";
  private static final int MOST_CLASSES = 100_000;
  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * A table's footer.
   *
   * @param file path below the root
   * @param rows number of rows of each row group
   * @param label name of the label's column; null where images are to be predicted
   * @param kind the label's kind in {@code dataset.json}
   * @param names class names: of string labels those there are, else as Hugging Face's datasets
   *     library notes them, or none
   * @param largest the largest label that the statistics know of, or −1
   */
  record Table(
      Split split,
      String file,
      List<Integer> rows,
      String label,
      String kind,
      boolean named,
      List<String> names,
      long largest) {
    private Table in(Split other) {
      return new Table(other, file, rows, label, kind, named, names, largest);
    }
  }

  /** Whether a file is a table by its name. */
  static boolean isTable(String name) {
    return name.toLowerCase(Locale.ROOT).endsWith(ENDING);
  }

  /** The labelled tables of {@code data.source}. */
  static ParquetTables open(DataConfig data, Configuration hadoop) throws IOException {
    var listing = Listing.of(data.raw().source(), EXPECTED, hadoop);
    var files = new ArrayList<Listing.Entry>();
    for (var file : listing.walk()) {
      if (isTable(file.name())) {
        files.add(file);
      } else {
        listing.notes().add("not a Parquet table, skipped", file.name());
      }
    }
    if (files.isEmpty()) {
      throw new UserException(
          "mixtraining.data.source: no *.parquet in %s; expected %s"
              .formatted(listing.root(), EXPECTED));
    }
    var tables = new ArrayList<Table>();
    for (var file : files) {
      var path = listing.path(file.name());
      tables.add(
          guarded(
              "mixtraining.data.source: " + path, () -> table(file.name(), path, data, hadoop)));
    }
    var all = new ParquetTables(listing.root().toString(), moved(tables), listing.notes().list());
    if (all.of(Split.TRAIN).stream().allMatch(table -> table.rows().isEmpty())) {
      throw new UserException(
          "mixtraining.data.source: no training images among the tables %s of %s"
              .formatted(
                  files.stream().map(Listing.Entry::name).limit(10).toList(), listing.root()));
    }
    return all;
  }

  /** A table of images without labels. */
  static Table unlabelled(Listing listing, String file, DataConfig data, Configuration hadoop) {
    var path = listing.path(file);
    return guarded(
        path.toString(),
        () -> {
          try (var reader = ParquetFileReader.open(HadoopInputFile.fromPath(path, hadoop))) {
            var footer = reader.getFooter();
            ImageColumns.unlabelled(
                Location.shown(path), footer.getFileMetaData().getSchema(), data);
            var rows = footer.getBlocks().stream().map(block -> rows(block, path)).toList();
            return new Table(Split.TEST, file, rows, null, null, false, List.of(), -1);
          }
        });
  }

  private static Table table(String file, Path path, DataConfig data, Configuration hadoop)
      throws IOException {
    try (var reader = ParquetFileReader.open(HadoopInputFile.fromPath(path, hadoop))) {
      ParquetMetadata footer = reader.getFooter();
      var schema = footer.getFileMetaData().getSchema();
      var columns = ImageColumns.labelled(Location.shown(path), schema, data);
      var notes = footer.getFileMetaData().getKeyValueMetaData().get("huggingface");
      return new Table(
          split(file),
          file,
          footer.getBlocks().stream().map(block -> rows(block, path)).toList(),
          columns.label(),
          columns.labelKind(data),
          columns.isNamed(),
          columns.isNamed() ? labels(reader, columns) : names(notes, columns.label()),
          footer.getBlocks().stream()
              .mapToLong(block -> largest(block, columns.label()))
              .max()
              .orElse(-1));
    }
  }

  /** The different strings of the label's column, in order. */
  private static List<String> labels(ParquetFileReader reader, ImageColumns columns)
      throws IOException {
    var schema = new MessageType("labels", columns.schema().getType(columns.label()));
    var labels = new TreeSet<String>();
    reader.setRequestedSchema(schema);
    for (var group = reader.readNextRowGroup();
        group != null && labels.size() <= MOST_CLASSES;
        group = reader.readNextRowGroup()) {
      var rows =
          new ColumnIOFactory()
              .getColumnIO(schema)
              .getRecordReader(group, new GroupRecordConverter(schema));
      for (long row = 0; row < group.getRowCount(); row++) {
        var read = rows.read();
        if (columns.hasLabel(read)) {
          labels.add(columns.name(read));
        }
      }
    }
    return List.copyOf(labels);
  }

  private static Split split(String file) {
    var parts = file.split("/", -1);
    for (int i = parts.length - 1; i >= Math.max(0, parts.length - 2); i--) {
      var split = Split.begins(parts[i]);
      if (split.isPresent()) {
        return split.get();
      }
    }
    return Split.TRAIN;
  }

  /** With no test tables, the validation tables are the test split, as in {@link Folder}. */
  private static List<Table> moved(List<Table> tables) {
    boolean test = tables.stream().anyMatch(table -> table.split() == Split.TEST);
    return tables.stream()
        .map(table -> table.split() == Split.VALIDATION && !test ? table.in(Split.TEST) : table)
        .toList();
  }

  private static int rows(BlockMetaData block, Path path) {
    long rows = block.getRowCount();
    if (rows < 0 || rows > Integer.MAX_VALUE) {
      throw new UserException(
          String.format(
              Locale.ROOT,
              "mixtraining.data.source: %s declares a row group of %d rows; allowed: 0 to %d",
              path,
              rows,
              Integer.MAX_VALUE));
    }
    return (int) rows;
  }

  /** The {@code names} of the label's feature, if it is a ClassLabel. */
  private static List<String> names(String huggingface, String label) {
    if (huggingface == null) {
      return List.of();
    }
    try {
      JsonNode names = JSON.readTree(huggingface).at("/info/features").path(label).path("names");
      return IntStream.range(0, names.isArray() ? names.size() : 0)
          .mapToObj(i -> Source.className(names.get(i).asText()))
          .toList();
    } catch (JsonProcessingException e) {
      return List.of(); // metadata of another program
    }
  }

  private static long largest(BlockMetaData block, String label) {
    for (var column : block.getColumns()) {
      if (column.getPath().equals(ColumnPath.get(label))) {
        Statistics<?> statistics = column.getStatistics();
        if (statistics == null || !statistics.hasNonNullValue()) {
          return -1;
        }
        return statistics instanceof LongStatistics longs
            ? longs.getMax()
            : statistics instanceof IntStatistics ints ? ints.getMax() : -1;
      }
    }
    return -1;
  }

  /** The tables of a split, in order of their names. */
  List<Table> of(Split split) {
    return tables.stream().filter(table -> table.split() == split).toList();
  }

  /** Whether labels are class names, which is so of all tables or of none. */
  boolean areNamed() {
    var columns = tables.stream().map(t -> t.label() + (t.named() ? ": string" : ": integer"));
    var kinds = columns.distinct().toList();
    if (kinds.size() > 1) {
      throw new UserException(
          "mixtraining.data.source: the tables of %s have different labels: %s"
              .formatted(root, kinds));
    }
    return tables.get(0).named();
  }

  /**
   * The name of each label: the strings that they are, or those noted in the tables, which may name
   * a class more than once, else the numbers up to the largest.
   */
  List<String> labels() {
    if (areNamed()) {
      return checked(tables.stream().flatMap(t -> t.names().stream()).sorted().distinct().toList());
    }
    var noted = tables.stream().map(Table::names).filter(n -> !n.isEmpty()).distinct().toList();
    if (noted.size() > 1) {
      throw new UserException(
          String.format(
              Locale.ROOT,
              "mixtraining.data.source: the tables of %s have different class names: %d and %d classes",
              root,
              noted.get(0).size(),
              noted.get(1).size()));
    }
    if (noted.isEmpty()) {
      long classes = tables.stream().mapToLong(Table::largest).max().orElse(-1) + 1;
      check(classes);
      return IntStream.range(0, (int) classes).mapToObj(Integer::toString).toList();
    }
    return checked(noted.get(0));
  }

  private List<String> checked(List<String> classes) {
    check(classes.size());
    return classes;
  }

  private void check(long classes) {
    if (classes < 1 || classes > MOST_CLASSES) {
      throw new UserException(
          String.format(
              Locale.ROOT,
              "mixtraining.data.source: the tables of %s have %d classes according to their class names or the statistics of the column %s; allowed: 1 to %d",
              root,
              Math.max(0, classes),
              tables.get(0).label(),
              MOST_CLASSES));
    }
  }

  /** A step of reading a table. */
  interface Reading<T> {
    T run() throws IOException;
  }

  /** Runs a step; failures due to a damaged table become messages for the user. */
  static <T> T guarded(String where, Reading<T> reading) {
    try {
      return reading.run();
    } catch (UserException e) {
      throw e;
    } catch (IOException | RuntimeException | OutOfMemoryError e) {
      // The last: a damaged length asks for gigabytes at once, and leaves the heap as it was.
      throw new UserException(
          "%s is not a Parquet table, or damaged: %s"
              .formatted(
                  where,
                  Objects.toString(e.getMessage(), e.toString()).lines().findFirst().orElse("")));
    }
  }
}
