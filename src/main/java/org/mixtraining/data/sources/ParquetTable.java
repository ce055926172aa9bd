package org.mixtraining.data.sources;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
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
import org.mixtraining.data.Split;

/**
 * The footer of a Parquet table of images: its row groups, and what it says of its labels.
 *
 * @param file path below the root
 * @param rows number of rows of each row group
 * @param label name of the label's column; null where images are to be predicted
 * @param kind the label's kind in {@code dataset.json}
 * @param names class names: of string labels those there are, else as Hugging Face's datasets
 *     library notes them, or none
 * @param largest the largest label that the statistics know of, or −1
 */
record ParquetTable(
    Split split,
    String file,
    List<Integer> rows,
    String label,
    String kind,
    boolean named,
    List<String> names,
    long largest) {
  private static final String ENDING = ".parquet";
  private static final ObjectMapper JSON = new ObjectMapper();
  static final int MOST_CLASSES = 100_000;

  /** The table as one of another split. */
  ParquetTable in(Split other) {
    return new ParquetTable(other, file, rows, label, kind, named, names, largest);
  }

  /** Whether a file is a table by its name. */
  static boolean isOne(String name) {
    return name.toLowerCase(Locale.ROOT).endsWith(ENDING);
  }

  /** A table of images without labels. */
  static ParquetTable unlabelled(
      Listing listing, String file, DataConfig data, Configuration hadoop) {
    var path = listing.path(file);
    return guarded(
        path.toString(),
        () -> {
          try (var reader = ParquetFileReader.open(HadoopInputFile.fromPath(path, hadoop))) {
            var footer = reader.getFooter();
            ImageColumns.unlabelled(
                Location.shown(path), footer.getFileMetaData().getSchema(), data);
            var rows = footer.getBlocks().stream().map(block -> rows(block, path)).toList();
            return new ParquetTable(Split.TEST, file, rows, null, null, false, List.of(), -1);
          }
        });
  }

  /** A table of labelled images. */
  static ParquetTable labelled(String file, Path path, DataConfig data, Configuration hadoop)
      throws IOException {
    try (var reader = ParquetFileReader.open(HadoopInputFile.fromPath(path, hadoop))) {
      ParquetMetadata footer = reader.getFooter();
      var schema = footer.getFileMetaData().getSchema();
      var columns = ImageColumns.labelled(Location.shown(path), schema, data);
      var notes = footer.getFileMetaData().getKeyValueMetaData().get("huggingface");
      return new ParquetTable(
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

  private static int rows(BlockMetaData block, Path path) {
    long rows = block.getRowCount();
    if (rows < 0 || rows > Integer.MAX_VALUE) {
      throw new UserException(
          "mixtraining.data.source: %s declares a row group of %s rows; allowed: 0 to %s"
              .formatted(path, rows, Integer.MAX_VALUE));
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
