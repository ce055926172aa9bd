package org.mixtraining.results;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.api.ReadSupport;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.example.GroupReadSupport;
import org.apache.parquet.hadoop.util.HadoopStreams;
import org.apache.parquet.io.DelegatingSeekableInputStream;
import org.apache.parquet.io.InputFile;
import org.apache.parquet.io.OutputFile;
import org.apache.parquet.io.PositionOutputStream;
import org.apache.parquet.io.SeekableInputStream;
import org.mixtraining.files.WholeFile;

/** One Parquet file of a table. */
record Part(Path path, Configuration conf) {
  /** Replaces it by a file with these records of the table. */
  void write(Table table, List<Group> records) throws IOException {
    new WholeFile(path, conf)
        .write(
            out -> {
              try (ParquetWriter<Group> writer =
                  ExampleParquetWriter.builder(new NewFile(out, path))
                      .withType(table.parquet())
                      .withConf(conf)
                      .build()) {
                for (Group row : records) {
                  writer.write(row);
                }
              }
            });
  }

  /** Whether a file in its directory is one: hidden ones are on the way, or were left on it. */
  static boolean isOne(Path file) {
    return file.getName().endsWith(".parquet") && !file.getName().matches("[._].*");
  }

  /** Its records in their order; none if there is no such file. */
  List<Group> read() throws IOException {
    FileSystem files = path.getFileSystem(conf);
    List<Group> records = new ArrayList<>();
    if (files.exists(path)) {
      // Parquet asks for a file's length before it opens it: another may have taken its place.
      var bytes = new Bytes(WholeFile.read(files, path));
      try (ParquetReader<Group> reader = new Reader(bytes).build()) {
        for (Group row = reader.read(); row != null; row = reader.read()) {
          records.add(row);
        }
      }
    }
    return records;
  }

  private static final class Reader extends ParquetReader.Builder<Group> {
    private Reader(InputFile file) {
      super(file);
    }

    @Override
    protected ReadSupport<Group> getReadSupport() {
      return new GroupReadSupport();
    }
  }

  private record Bytes(byte[] content) implements InputFile {
    @Override
    public long getLength() {
      return content.length;
    }

    @Override
    public SeekableInputStream newStream() {
      Cursor cursor = new Cursor(content);
      return new DelegatingSeekableInputStream(cursor) {
        @Override
        public long getPos() {
          return cursor.position();
        }

        @Override
        public void seek(long position) {
          cursor.seek(position);
        }
      };
    }
  }

  private static final class Cursor extends ByteArrayInputStream {
    private Cursor(byte[] content) {
      super(content);
    }

    private synchronized long position() {
      return pos;
    }

    private synchronized void seek(long position) {
      pos = Math.toIntExact(position);
    }
  }

  private record NewFile(FSDataOutputStream out, Path path) implements OutputFile {
    @Override
    public PositionOutputStream create(long blockSize) {
      return HadoopStreams.wrap(out);
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

    @Override
    public String getPath() {
      return path.toString();
    }
  }
}
