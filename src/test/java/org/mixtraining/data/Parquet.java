package org.mixtraining.data;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroupFactory;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.io.OutputFile;
import org.apache.parquet.io.PositionOutputStream;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;

/** Parquet tables as Hugging Face's datasets library writes them, made in memory. */
public final class Parquet {
  /** What that library notes in the footer. */
  public static final String CAT_AND_DOG =
      "{\"info\": {\"features\": {\"image\": {\"_type\": \"Image\"}, \"label\": {\"names\": [\"cat\", \"dog\"], \"_type\": \"ClassLabel\"}}}}";

  private static final String IMAGES =
      "message schema { optional group image { optional binary bytes; optional binary path (STRING); } optional int64 label; }";

  private Parquet() {}

  /** A row; null is null. */
  public record Row(byte[] bytes, String path, Long label) {}

  /** A table in row groups of 100 rows or so. */
  public static byte[] table(String huggingface, Row... rows) throws IOException {
    var schema = MessageTypeParser.parseMessageType(IMAGES);
    var groups =
        List.of(rows).stream()
            .map(
                row -> {
                  var group = new SimpleGroupFactory(schema).newGroup();
                  var image = group.addGroup("image");
                  if (row.bytes() != null) {
                    image.append("bytes", Binary.fromConstantByteArray(row.bytes()));
                  }
                  if (row.path() != null) {
                    image.append("path", row.path());
                  }
                  if (row.label() != null) {
                    group.append("label", row.label());
                  }
                  return group;
                })
            .toList();
    return write(schema, Map.of("huggingface", huggingface), groups);
  }

  /** A table with columns of the right names and the wrong types. */
  public static byte[] otherTable() throws IOException {
    var schema =
        MessageTypeParser.parseMessageType(
            "message schema { optional int32 image; optional double label; }");
    return write(schema, Map.of(), List.of(new SimpleGroupFactory(schema).newGroup()));
  }

  /**
   * A table of any columns with one row.
   *
   * @param values of each column: bytes, a string or a number
   */
  public static byte[] columns(String columns, String huggingface, Object... values)
      throws IOException {
    return rows(columns, huggingface, List.<Object[]>of(values));
  }

  /** The same with any number of rows, in row groups of 100. */
  public static byte[] rows(String columns, String huggingface, List<Object[]> rows)
      throws IOException {
    var schema = MessageTypeParser.parseMessageType("message schema { " + columns + " }");
    var groups =
        rows.stream()
            .map(
                values -> {
                  var group = new SimpleGroupFactory(schema).newGroup();
                  for (int i = 0; i < values.length; i++) {
                    if (values[i] instanceof byte[] bytes) {
                      group.add(i, Binary.fromConstantByteArray(bytes));
                    } else if (values[i] instanceof Long number) {
                      group.add(i, number);
                    } else if (values[i] instanceof Integer number) {
                      group.add(i, number);
                    } else if (values[i] instanceof Double number) {
                      group.add(i, number);
                    } else if (values[i] instanceof String text) {
                      group.add(i, text);
                    }
                  }
                  return (Group) group;
                })
            .toList();
    return write(schema, Map.of("huggingface", huggingface), groups);
  }

  private static byte[] write(MessageType schema, Map<String, String> notes, List<Group> rows)
      throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (var writer =
        ExampleParquetWriter.builder(new Memory(bytes))
            .withType(schema)
            .withExtraMetaData(notes)
            .withRowGroupSize(2000L)
            .build()) {
      for (var row : rows) {
        writer.write(row);
      }
    }
    return bytes.toByteArray();
  }

  private record Memory(ByteArrayOutputStream bytes) implements OutputFile {
    @Override
    public PositionOutputStream create(long blockSize) {
      return new PositionOutputStream() {
        @Override
        public long getPos() {
          return bytes.size();
        }

        @Override
        public void write(int value) {
          bytes.write(value);
        }

        @Override
        public void write(byte[] values, int from, int count) {
          bytes.write(values, from, count);
        }
      };
    }

    @Override
    public PositionOutputStream createOrOverwrite(long blockSize) {
      return create(blockSize);
    }

    @Override
    public boolean supportsBlockSize() {
      return false;
    }

    @Override
    public long defaultBlockSize() {
      return 0;
    }
  }
}
