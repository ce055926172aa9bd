package org.mixtraining.data.sources;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.commons.lang3.function.Failable;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.RecordReader;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.Location;
import org.mixtraining.config.UserException;
import org.mixtraining.data.Note;
import org.mixtraining.data.Notes;
import org.mixtraining.data.Split;
import org.mixtraining.data.images.ImageDecoder;
import org.mixtraining.data.images.RawImage;

/**
 * Images in a Parquet table, each a JPEG or PNG file in a row, with their labels or without: the
 * columns are those that {@link ImageColumns} finds. A piece is a row group.
 *
 * @param root directory that the file is below
 * @param file path of the table below the root
 * @param firstRow number of the group's first row in the file
 * @param labels of the images; null where they are to be predicted
 */
record ParquetImages(
    Split split,
    String root,
    String file,
    int rowGroup,
    long firstRow,
    int images,
    Labels labels,
    DataConfig data,
    ImageDecoder decoder)
    implements Piece {
  private static final int LONGEST_NAME = 100;

  /**
   * Mapping of a table's labels, which are class names or class numbers, to classes.
   *
   * @param names of the labels, those that are names in their own order
   * @param classes index of the class of each
   */
  record Labels(boolean named, List<String> names, List<Integer> classes)
      implements java.io.Serializable {

    /** Names that are the same in one form of Unicode are one class, as directories are. */
    static Labels of(boolean named, List<String> names) {
      var indices = new LinkedHashMap<String, Integer>();
      names.forEach(name -> indices.putIfAbsent(name, indices.size()));
      return new Labels(named, names, names.stream().map(indices::get).toList());
    }

    List<String> classNames() {
      return names.stream().distinct().toList();
    }

    private List<Note> notes() {
      var notes = new Notes();
      var seen = new HashSet<String>();
      names.stream()
          .filter(name -> !seen.add(name))
          .forEach(name -> notes.add("one class, though several labels have its name", name));
      return notes.list();
    }
  }

  static Source open(DataConfig data, SparkSession spark) throws IOException {
    var tables = ParquetTables.open(data, spark);
    var labels = Labels.of(tables.areNamed(), tables.labels());
    var decoder = new ImageDecoder(data.preparation().imageSize(), data.preparation().maxPixels());
    var pieces = new ArrayList<Piece>();
    for (var split : Split.values()) {
      for (var table : tables.of(split)) {
        pieces.addAll(cut(tables.root(), table, labels, data, decoder));
      }
    }
    var kind = tables.tables().get(0).kind();
    var notes = Stream.concat(tables.notes().stream(), labels.notes().stream()).toList();
    return new Source(kind, labels.classNames(), 3, pieces, notes);
  }

  /** Images to be predicted. */
  static List<Piece> unlabelled(
      Listing listing, String file, DataConfig data, ImageDecoder decoder, Configuration hadoop) {
    var table = ParquetTable.unlabelled(listing, file, data, hadoop);
    return cut(listing.root().toString(), table, null, data, decoder);
  }

  private static List<Piece> cut(
      String root, ParquetTable table, Labels labels, DataConfig data, ImageDecoder decoder) {
    var pieces = new ArrayList<Piece>();
    long firstRow = 0;
    for (int group = 0; group < table.rows().size(); group++) {
      int rows = table.rows().get(group);
      if (rows > 0) {
        pieces.add(
            new ParquetImages(
                table.split(), root, table.file(), group, firstRow, rows, labels, data, decoder));
      }
      firstRow += rows;
    }
    return pieces;
  }

  @Override
  public Stream<RawImage> read(Configuration hadoop) throws IOException {
    var path = new Path(root + "/" + file);
    var reader = guarded(() -> ParquetFileReader.open(HadoopInputFile.fromPath(path, hadoop)));
    ImageColumns columns;
    RecordReader<Group> rows;
    try {
      var schema = guarded(() -> reader.getFileMetaData().getSchema());
      columns =
          labels == null
              ? ImageColumns.unlabelled(Location.shown(path), schema, data)
              : ImageColumns.labelled(Location.shown(path), schema, data);
      rows = guarded(() -> rows(reader, columns));
    } catch (UserException e) {
      reader.close();
      throw e;
    }
    return IntStream.range(0, images)
        .mapToObj(i -> image(firstRow + i, guarded(rows::read), columns))
        .onClose(() -> Failable.run(reader::close));
  }

  private RecordReader<Group> rows(ParquetFileReader reader, ImageColumns columns)
      throws IOException {
    reader.setRequestedSchema(columns.schema());
    return new ColumnIOFactory()
        .getColumnIO(columns.schema())
        .getRecordReader(reader.readRowGroup(rowGroup), new GroupRecordConverter(columns.schema()));
  }

  private RawImage image(long number, Group row, ImageColumns columns) {
    var name = name(number, columns.path(row));
    int label = RawImage.NONE_NEEDED;
    if (labels != null && !columns.hasLabel(row)) {
      label = Source.withoutLabel(data, split);
    } else if (labels != null && labels.named()) {
      label = Collections.binarySearch(labels.names(), columns.name(row));
    } else if (labels != null) {
      long value = columns.number(row);
      int most = labels.classes().size() - 1;
      if (value < 0 || value > most) {
        return new RawImage.Unusable(
            name(number, null),
            RawImage.UNLABELLED,
            "label is %s, allowed 0 to %s".formatted(value, most));
      }
      label = labels.classes().get((int) value);
    }
    if (!columns.hasImage(row)) {
      return new RawImage.Unusable(name, label, "has no image");
    }
    var bytes = columns.bytes(row);
    return bytes == null
        ? new RawImage.Unusable(name, label, "has no bytes in the table")
        : decoder.image(name, label, bytes);
  }

  /** Name of an image to predict: its own path, if it has one. */
  private String name(long number, String path) {
    if (labels == null) {
      return path == null ? new Path(root + "/" + file).getName() + "#" + number : path;
    }
    return file
        + "#"
        + number
        + (path == null ? "" : " " + path.substring(0, Math.min(LONGEST_NAME, path.length())));
  }

  private <T> T guarded(ParquetTable.Reading<T> reading) {
    var key = labels == null ? "" : "mixtraining.data.source: ";
    return ParquetTable.guarded(key + root + "/" + file + ", row group " + rowGroup, reading);
  }
}
