package org.mixtraining.data;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.hadoop.metadata.ParquetMetadata;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;

/**
 * A row group of a shard's file: some images of a split, which are read together.
 *
 * @param number in the file, from 0
 */
record RowGroup(int shard, Path file, ParquetMetadata footer, int number) {
  private static final String PIXELS = "pixels";
  private static final String FILE = "file";

  /** The row groups of a file, in their order. */
  static List<RowGroup> of(Configuration hadoop, int shard, Path file) throws IOException {
    try (var reader = ParquetFileReader.open(hadoop, file)) {
      var groups = new ArrayList<RowGroup>();
      for (int number = 0; number < reader.getRowGroups().size(); number++) {
        groups.add(new RowGroup(shard, file, reader.getFooter(), number));
      }
      return groups;
    }
  }

  /** Whether it holds images as files. */
  boolean hasFiles() {
    return footer.getFileMetaData().getSchema().containsField(FILE);
  }

  /** Bytes of its images as they are stored, or a few more. */
  long imageBytes() {
    return footer.getBlocks().get(number).getColumns().stream()
        .filter(column -> List.of(PIXELS, FILE).contains(column.getPath().toDotString()))
        .mapToLong(ColumnChunkMetaData::getTotalUncompressedSize)
        .sum();
  }

  /** Reads all images, each with its id. */
  void images(Configuration hadoop, BiConsumer<Long, StoredImage> each) throws IOException {
    var columns = hasFiles() ? List.of("id", PIXELS, FILE) : List.of("id", PIXELS);
    scan(
        hadoop,
        columns,
        row -> {
          boolean raw = row.getFieldRepetitionCount(PIXELS) > 0;
          var bytes = row.getBinary(raw ? PIXELS : FILE, 0).toByteBuffer();
          each.accept(row.getLong("id", 0), new StoredImage(bytes, !raw));
        });
  }

  /** Reads some columns of all rows. */
  void scan(Configuration hadoop, List<String> columns, Consumer<Group> each) throws IOException {
    var schema = footer.getFileMetaData().getSchema();
    var wanted =
        new MessageType(
            schema.getName(), columns.stream().map(schema::getType).toArray(Type[]::new));
    try (var reader = ParquetFileReader.open(hadoop, file, footer)) {
      reader.setRequestedSchema(wanted);
      var pages = reader.readRowGroup(number);
      var rows =
          new ColumnIOFactory()
              .getColumnIO(wanted)
              .getRecordReader(pages, new GroupRecordConverter(wanted));
      Stream.generate(rows::read).limit(pages.getRowCount()).forEachOrdered(each);
    }
  }
}
