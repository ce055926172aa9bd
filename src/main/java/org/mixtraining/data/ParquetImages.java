package org.mixtraining.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.RecordReader;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;

/**
 * Parquet tables in the layout of Hugging Face's image datasets: {@code image: struct<bytes, path>}
 * with a JPEG or PNG file as bytes, and {@code label}, an integer. A piece is a row group.
 *
 * @param root directory that the file is below
 * @param file path of the table below the root
 * @param firstRow number of the group's first row in the file
 * @param classes number of classes; a row with a label beyond has none
 */
record ParquetImages(
    Split split,
    String root,
    String file,
    int rowGroup,
    long firstRow,
    int images,
    int classes,
    ImageDecoder decoder)
    implements Piece {
  private static final int LONGEST_NAME = 100;

  static Source open(JobConfig.Data data, Configuration hadoop) throws IOException {
    var tables = ParquetTables.open(data, hadoop);
    var classes = tables.classes();
    var decoder = new ImageDecoder(data.imageSize(), data.maxPixels());
    var pieces = new ArrayList<Piece>();
    for (var split : Split.values()) {
      for (var table : tables.of(split)) {
        long firstRow = 0;
        for (int group = 0; group < table.rows().size(); group++) {
          int rows = table.rows().get(group);
          if (rows > 0) {
            pieces.add(
                new ParquetImages(
                    split,
                    tables.root(),
                    table.file(),
                    group,
                    firstRow,
                    rows,
                    classes.size(),
                    decoder));
          }
          firstRow += rows;
        }
      }
    }
    return new Source("label", classes, 3, pieces);
  }

  @Override
  public Stream<RawImage> read(Configuration hadoop) throws IOException {
    var path = new Path(root + "/" + file);
    var reader = guarded(() -> ParquetFileReader.open(HadoopInputFile.fromPath(path, hadoop)));
    RecordReader<Group> rows;
    try {
      rows = guarded(() -> rows(reader, path));
    } catch (UserException e) {
      reader.close();
      throw e;
    }
    return IntStream.range(0, images)
        .mapToObj(i -> image(firstRow + i, guarded(rows::read)))
        .onClose(() -> close(reader));
  }

  private RecordReader<Group> rows(ParquetFileReader reader, Path path) throws IOException {
    var schema = ParquetTables.projection(path, reader.getFileMetaData().getSchema());
    reader.setRequestedSchema(schema);
    return new ColumnIOFactory()
        .getColumnIO(schema)
        .getRecordReader(reader.readRowGroup(rowGroup), new GroupRecordConverter(schema));
  }

  private RawImage image(long row, Group group) {
    boolean labelled = group.getFieldRepetitionCount("label") == 1;
    long value = labelled ? ParquetTables.integer(group) : RawImage.UNLABELLED;
    int label = value >= 0 && value < classes ? (int) value : RawImage.UNLABELLED;
    var name = file + "#" + row;
    if (label == RawImage.UNLABELLED && labelled) {
      return new RawImage.Unusable(
          name,
          label,
          String.format(Locale.ROOT, "label is %d, allowed 0 to %d", value, classes - 1));
    }
    if (group.getFieldRepetitionCount("image") == 0) {
      return new RawImage.Unusable(name, label, "has no image");
    }
    var image = group.getGroup("image", 0);
    if (image.getType().containsField("path") && image.getFieldRepetitionCount("path") == 1) {
      var path = image.getBinary("path", 0).toStringUsingUTF8();
      name += " " + path.substring(0, Math.min(LONGEST_NAME, path.length()));
    }
    if (image.getFieldRepetitionCount("bytes") == 0) {
      return new RawImage.Unusable(name, label, "has no bytes in the table");
    }
    return decoder.image(name, label, image.getBinary("bytes", 0).getBytes());
  }

  private <T> T guarded(ParquetTables.Reading<T> reading) {
    return ParquetTables.guarded(root + "/" + file + ", row group " + rowGroup, reading);
  }

  private static void close(ParquetFileReader reader) {
    try {
      reader.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
