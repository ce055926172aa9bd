package org.mixtraining.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.column.statistics.IntStatistics;
import org.apache.parquet.column.statistics.LongStatistics;
import org.apache.parquet.column.statistics.Statistics;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ParquetMetadata;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;

/**
 * What the footers of a directory's Parquet tables say. A table is of the split that its name, or
 * else its directory's, begins with ({@code train-00000-of-00002.parquet}, {@code
 * validation/0000.parquet}); of the train split if neither does.
 *
 * @param root directory that the tables are below
 */
record ParquetTables(String root, List<Table> tables) {
  private static final String EXPECTED =
      "one with Parquet tables of image: struct<bytes, path> and label: integer, at most two directories deep";
  private static final Pattern SPLIT =
      Pattern.compile("(train|test|valid|validation|val)([^a-z].*)?");
  private static final int DEEPEST = 2;
  private static final int MOST_CLASSES = 100_000;
  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * A table's footer.
   *
   * @param file path below the root
   * @param rows number of rows of each row group
   * @param names class names as Hugging Face's datasets library notes them, else none
   * @param largest the largest label that the statistics know of, or −1
   */
  record Table(Split split, String file, List<Integer> rows, List<String> names, long largest) {}

  static ParquetTables open(JobConfig.Data data, Configuration hadoop) throws IOException {
    var listing = Listing.of(data.source(), EXPECTED, hadoop);
    var files = new ArrayList<String>();
    find(listing, "", 0, files);
    if (files.isEmpty()) {
      throw new UserException(
          "data.source: no *.parquet in %s; expected %s".formatted(listing.root(), EXPECTED));
    }
    var tables = new ArrayList<Table>();
    for (var file : files) {
      tables.add(
          guarded(listing.path(file).toString(), () -> table(file, listing.path(file), hadoop)));
    }
    var all = new ParquetTables(listing.root().toString(), moved(tables));
    if (all.of(Split.TRAIN).stream().allMatch(table -> table.rows().isEmpty())) {
      throw new UserException(
          "data.source: no training images among the tables %s of %s"
              .formatted(files.stream().limit(10).toList(), listing.root()));
    }
    return all;
  }

  private static void find(Listing listing, String below, int depth, List<String> files)
      throws IOException {
    var prefix = below.isEmpty() ? "" : below + "/";
    for (var file : listing.files(below)) {
      if (file.name().endsWith(".parquet")) {
        files.add(prefix + file.name());
      }
    }
    for (var directory : depth < DEEPEST ? listing.directories(below) : List.<String>of()) {
      find(listing, prefix + directory, depth + 1, files);
    }
  }

  private static Table table(String file, Path path, Configuration hadoop) throws IOException {
    try (var reader = ParquetFileReader.open(HadoopInputFile.fromPath(path, hadoop))) {
      ParquetMetadata footer = reader.getFooter();
      projection(path, footer.getFileMetaData().getSchema());
      return new Table(
          split(file),
          file,
          footer.getBlocks().stream().map(block -> rows(block, path)).toList(),
          names(footer.getFileMetaData().getKeyValueMetaData().get("huggingface")),
          footer.getBlocks().stream().mapToLong(ParquetTables::largest).max().orElse(-1));
    }
  }

  private static Split split(String file) {
    var parts = file.toLowerCase(Locale.ROOT).split("/", -1);
    for (int i = parts.length - 1; i >= Math.max(0, parts.length - 2); i--) {
      Matcher name = SPLIT.matcher(parts[i].replaceFirst("\\.parquet$", ""));
      if (name.matches()) {
        return switch (name.group(1)) {
          case "train" -> Split.TRAIN;
          case "test" -> Split.TEST;
          default -> Split.VALIDATION;
        };
      }
    }
    return Split.TRAIN;
  }

  /** With no test tables, the validation tables are the test split, as in {@link Folder}. */
  private static List<Table> moved(List<Table> tables) {
    boolean test = tables.stream().anyMatch(table -> table.split() == Split.TEST);
    return tables.stream()
        .map(
            table ->
                table.split() == Split.VALIDATION && !test
                    ? new Table(
                        Split.TEST, table.file(), table.rows(), table.names(), table.largest())
                    : table)
        .toList();
  }

  private static int rows(BlockMetaData block, Path path) {
    long rows = block.getRowCount();
    if (rows < 0 || rows > Integer.MAX_VALUE) {
      throw new UserException(
          String.format(
              Locale.ROOT,
              "data.source: %s declares a row group of %d rows; allowed: 0 to %d",
              path,
              rows,
              Integer.MAX_VALUE));
    }
    return (int) rows;
  }

  /** The {@code names} of the feature {@code label}, if it is a ClassLabel. */
  private static List<String> names(String huggingface) {
    if (huggingface == null) {
      return List.of();
    }
    try {
      JsonNode names = JSON.readTree(huggingface).at("/info/features/label/names");
      return IntStream.range(0, names.isArray() ? names.size() : 0)
          .mapToObj(i -> names.get(i).asText())
          .toList();
    } catch (JsonProcessingException e) {
      return List.of(); // somebody else's note
    }
  }

  private static long largest(BlockMetaData block) {
    for (var column : block.getColumns()) {
      if (column.getPath().toDotString().equals("label")) {
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

  /** The columns that are read. */
  static MessageType projection(Path path, MessageType schema) {
    Type image = schema.containsField("image") ? schema.getType("image") : null;
    Type label = schema.containsField("label") ? schema.getType("label") : null;
    if (!(image instanceof GroupType struct)
        || !isPlain(struct.containsField("bytes") ? struct.getType("bytes") : null, "BINARY")
        || image.isRepetition(Type.Repetition.REPEATED)
        || !(isPlain(label, "INT32") || isPlain(label, "INT64"))) {
      throw new UserException(
          "data.source: %s has the columns %s; expected image: struct<bytes: binary, path: string> and label: int or bigint"
              .formatted(path, columns(schema)));
    }
    var fields = new ArrayList<Type>(List.of(struct.getType("bytes")));
    if (struct.containsField("path") && isPlain(struct.getType("path"), "BINARY")) {
      fields.add(struct.getType("path"));
    }
    return new MessageType(schema.getName(), struct.withNewFields(fields), label);
  }

  private static boolean isPlain(Type type, String primitive) {
    return type != null
        && type.isPrimitive()
        && type.asPrimitiveType().getPrimitiveTypeName() == PrimitiveTypeName.valueOf(primitive)
        && !type.isRepetition(Type.Repetition.REPEATED);
  }

  private static List<String> columns(MessageType schema) {
    return schema.getFields().stream()
        .limit(20)
        .map(field -> field.toString().replaceAll("\\s+", " "))
        .toList();
  }

  /** The label of a row that has one. */
  static long integer(Group row) {
    var type = row.getType().getType("label").asPrimitiveType().getPrimitiveTypeName();
    return type == PrimitiveTypeName.INT64 ? row.getLong("label", 0) : row.getInteger("label", 0);
  }

  /** The tables of a split, in order of their names. */
  List<Table> of(Split split) {
    return tables.stream().filter(table -> table.split() == split).toList();
  }

  /** Class names: those noted in the tables, else the numbers up to the largest label. */
  List<String> classes() {
    var noted = tables.stream().map(Table::names).filter(n -> !n.isEmpty()).distinct().toList();
    if (noted.size() > 1) {
      throw new UserException(
          String.format(
              Locale.ROOT,
              "data.source: the tables of %s have different class names: %d and %d classes",
              root,
              noted.get(0).size(),
              noted.get(1).size()));
    }
    long largest = tables.stream().mapToLong(Table::largest).max().orElse(-1);
    long classes = noted.isEmpty() ? largest + 1 : noted.get(0).size();
    if (classes < 1 || classes > MOST_CLASSES) {
      throw new UserException(
          String.format(
              Locale.ROOT,
              "data.source: the tables of %s have %d classes by their class names, or else the statistics of the column label; allowed: 1 to %d",
              root,
              Math.max(0, classes),
              MOST_CLASSES));
    }
    return noted.isEmpty()
        ? IntStream.range(0, (int) classes).mapToObj(Integer::toString).toList()
        : noted.get(0);
  }

  /** A step of reading a table. */
  interface Reading<T> {
    T run() throws IOException;
  }

  /** Takes a step; whatever a damaged table makes of it is told to the user. */
  static <T> T guarded(String where, Reading<T> reading) {
    try {
      return reading.run();
    } catch (UserException e) {
      throw e;
    } catch (IOException | RuntimeException | OutOfMemoryError e) {
      // The last: a damaged length asks for gigabytes at once, and leaves the heap as it was.
      throw new UserException(
          "data.source: %s is no Parquet table, or damaged: %s"
              .formatted(
                  where,
                  Objects.toString(e.getMessage(), e.toString()).lines().findFirst().orElse("")));
    }
  }
}
