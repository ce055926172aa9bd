package org.mixtraining.data.sources;

import com.univocity.parsers.common.TextParsingException;
import com.univocity.parsers.csv.CsvParser;
import com.univocity.parsers.csv.CsvParserSettings;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.Split;
import org.mixtraining.data.images.ImageDecoder;

/**
 * CSV files or Parquet tables that list JPEG and PNG files with their labels, a row each. Paths are
 * below the source; labels as {@link TextLabels} takes them. A row is of the split that its column
 * {@code split} names, or else a word of the list's name, or else of the training split; without a
 * test split, the validation split is the test split, as in {@link Folder}.
 *
 * @param sizes of the files of each directory that is named, by name
 */
record ImageLists(Listing listing, Map<String, Map<String, Long>> sizes) {
  private static final String EXPECTED = "one with *.csv or *.parquet files";
  private static final String SPLIT = "split";

  /** A row. */
  private record Listed(Split split, String path, String label) {}

  /** A value of a row by its column; null where there is none. */
  private interface Row {
    String get(String column);
  }

  /**
   * A list.
   *
   * @param path the column of the paths
   * @param label the column of the labels
   */
  private record Table(Path file, List<String> columns, String path, String label) {
    Table {
      if (!columns.containsAll(List.of(path, label))) {
        throw new UserException(
            "mixtraining.data.source: %s has the columns %s; expected %s (mixtraining.data.image) and %s (mixtraining.data.label)"
                .formatted(file, columns, path, label));
      }
    }

    /**
     * @param number of the row, from 1
     */
    Listed listed(long number, Row row) {
      var listed = row.get(path);
      if (listed == null) {
        throw new UserException(
            "mixtraining.data.source: %s, row %s: no %s".formatted(file, number, path));
      }
      var split =
          columns.contains(SPLIT) ? named(row.get(SPLIT)) : WebDataset.split(file.getName());
      return new Listed(split, listed, row.get(label));
    }

    private Split named(String name) {
      return Optional.ofNullable(name)
          .flatMap(Split::named)
          .orElseThrow(
              () ->
                  new UserException(
                      "mixtraining.data.source: %s: split = %s: must be train, validation or test"
                          .formatted(file, name)));
    }
  }

  static Source open(DataConfig data, SparkSession spark) throws IOException {
    var listing = Listing.of(data.raw().source(), EXPECTED, spark);
    var rows = new ArrayList<Listed>();
    var path = data.raw().image().isEmpty() ? "path" : data.raw().image();
    for (var file : listing.look("").files()) {
      var place = listing.path(file.name());
      if (file.name().endsWith(".csv")) {
        csv(listing, place, path, data.raw().labelName(), rows);
      } else if (ParquetTable.isOne(file.name())) {
        parquet(
            place, path, data.raw().labelName(), rows, spark.sparkContext().hadoopConfiguration());
      }
    }
    if (rows.stream().noneMatch(row -> row.split == Split.TRAIN)) {
      throw new UserException(
          "mixtraining.data.source: no *.csv or *.parquet of %s lists a training image; expected %s with the columns %s and %s"
              .formatted(listing.root(), EXPECTED, path, data.raw().labelName()));
    }
    return new ImageLists(listing, new HashMap<>()).source(data, rows);
  }

  private static void csv(Listing listing, Path file, String path, String label, List<Listed> rows)
      throws IOException {
    var settings = new CsvParserSettings();
    settings.setHeaderExtractionEnabled(true);
    settings.setLineSeparatorDetectionEnabled(true);
    var csv = new CsvParser(settings);
    try (var in = listing.fs().open(file)) {
      csv.beginParsing(in, "UTF-8");
      var table = new Table(file, columns(csv), path, label);
      for (var row = csv.parseNextRecord(); row != null; row = csv.parseNextRecord()) {
        rows.add(table.listed(csv.getContext().currentRecord(), row::getString));
      }
    } catch (TextParsingException e) {
      throw new UserException(
          "mixtraining.data.source: %s is no CSV file: line %s"
              .formatted(file, e.getLineIndex() + 1));
    } finally {
      csv.stopParsing();
    }
  }

  private static List<String> columns(CsvParser csv) {
    var metadata = csv.getRecordMetadata();
    return metadata == null || metadata.headers() == null
        ? List.of()
        : Arrays.stream(metadata.headers()).filter(Objects::nonNull).toList();
  }

  private static void parquet(
      Path file, String path, String label, List<Listed> rows, Configuration hadoop) {
    ParquetTable.guarded(
        "mixtraining.data.source: " + file,
        () -> {
          try (var reader = ParquetFileReader.open(HadoopInputFile.fromPath(file, hadoop))) {
            var schema = reader.getFileMetaData().getSchema();
            var columns = schema.getFields().stream().filter(Type::isPrimitive).toList();
            var table = new Table(file, columns.stream().map(Type::getName).toList(), path, label);
            var wanted =
                columns.stream()
                    .filter(column -> List.of(path, label, SPLIT).contains(column.getName()))
                    .toList();
            read(reader, new MessageType(schema.getName(), wanted), table, rows);
            return null;
          }
        });
  }

  private static void read(
      ParquetFileReader reader, MessageType schema, Table table, List<Listed> rows)
      throws IOException {
    reader.setRequestedSchema(schema);
    long number = 0;
    for (var group = reader.readNextRowGroup(); group != null; group = reader.readNextRowGroup()) {
      var records =
          new ColumnIOFactory()
              .getColumnIO(schema)
              .getRecordReader(group, new GroupRecordConverter(schema));
      for (long i = 0; i < group.getRowCount(); i++) {
        var row = records.read();
        number++;
        rows.add(
            table.listed(
                number,
                column ->
                    row.getFieldRepetitionCount(column) == 0
                        ? null
                        : row.getValueToString(schema.getFieldIndex(column), 0)));
      }
    }
  }

  private Source source(DataConfig data, List<Listed> rows) throws IOException {
    var labels =
        TextLabels.of(
            listing.root().toString(), rows.stream().map(Listed::label).filter(Objects::nonNull));
    boolean test = rows.stream().anyMatch(row -> row.split == Split.TEST);
    Set<String> seen = new HashSet<>();
    Set<String> doubled = new HashSet<>();
    rows.stream().map(Listed::path).filter(path -> !seen.add(path)).forEach(doubled::add);
    listing.lookAhead(rows.stream().map(row -> directory(row.path)).distinct().toList());
    Map<Split, List<ImageFiles.Labelled>> files = new EnumMap<>(Split.class);
    for (var row : rows) {
      if (seen.remove(row.path)) { // once, if it is doubled
        var split = row.split == Split.VALIDATION && !test ? Split.TEST : row.split;
        files
            .computeIfAbsent(split, s -> new ArrayList<>())
            .add(
                new ImageFiles.Labelled(
                    row.path,
                    labels.index(row.label, Source.withoutLabel(data, split)),
                    bytes(row.path),
                    doubled.contains(row.path) ? "is listed more than once" : null));
      }
    }
    var decoder = new ImageDecoder(data.preparation().imageSize(), data.preparation().maxPixels());
    var pieces = new ArrayList<Piece>();
    files.forEach((split, own) -> pieces.addAll(ImageFiles.cut(split, listing, own, decoder)));
    return new Source(data.raw().labelName(), labels.classes(), 3, pieces, listing.notes().list());
  }

  private static String directory(String path) {
    return path.substring(0, Math.max(0, path.lastIndexOf('/')));
  }

  private long bytes(String path) throws IOException {
    var directory = directory(path);
    var known = sizes.get(directory);
    if (known == null) {
      known = new HashMap<>();
      try {
        for (var file : listing.look(directory).files()) {
          known.put(file.name(), file.bytes());
        }
      } catch (FileNotFoundException e) {
        // none of its files is there
      }
      sizes.put(directory, known);
    }
    return known.getOrDefault(path.substring(path.lastIndexOf('/') + 1), Listing.Entry.UNREACHABLE);
  }
}
