package org.mixtraining.results;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumFileSystem;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options.Rename;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.util.HadoopStreams;
import org.apache.parquet.io.OutputFile;
import org.apache.parquet.io.PositionOutputStream;

/**
 * One Parquet file of a table, whole or not there: written under a name that readers skip, then
 * renamed over the one before.
 */
final class Part {
  private final FileSystem files;
  private final Path path;
  private final Configuration conf;

  Part(Path path, Configuration conf) throws IOException {
    FileSystem named = path.getFileSystem(conf);
    // The local file system would leave a .crc file beside each part.
    this.files = named instanceof ChecksumFileSystem checked ? checked.getRawFileSystem() : named;
    this.path = path;
    this.conf = conf;
  }

  void write(Table table, Iterable<? extends ResultRow> rows) throws IOException {
    Path hidden = hidden();
    try {
      try (ParquetWriter<Group> writer =
          ExampleParquetWriter.builder(new NewFile(files, hidden))
              .withType(table.parquet())
              .withConf(conf)
              .build()) {
        for (ResultRow row : rows) {
          writer.write(table.group(row));
        }
      }
      moveOver(hidden);
    } catch (IOException | RuntimeException e) {
      files.delete(hidden, false);
      throw e;
    }
  }

  /** A new name in the same directory, of its own so that two writers cannot mix their bytes. */
  Path hidden() {
    return new Path(path.getParent(), "." + path.getName() + "." + UUID.randomUUID());
  }

  private void moveOver(Path hidden) throws IOException {
    if (files.getUri().getScheme().equals("file")) {
      // FileContext would delete first.
      Files.move(local(hidden), local(path), StandardCopyOption.ATOMIC_MOVE);
      return;
    }
    try {
      FileContext.getFileContext(files.getUri(), conf).rename(hidden, path, Rename.OVERWRITE);
    } catch (UnsupportedFileSystemException e) {
      // Known to FileSystem only, whose rename does not replace.
      files.delete(path, false);
      if (!files.rename(hidden, path)) {
        throw new IOException("cannot rename %s to %s".formatted(hidden, path));
      }
    }
  }

  private java.nio.file.Path local(Path path) {
    return java.nio.file.Path.of(files.makeQualified(path).toUri());
  }

  private record NewFile(FileSystem files, Path path) implements OutputFile {
    @Override
    public PositionOutputStream create(long blockSize) throws IOException {
      return HadoopStreams.wrap(files.create(path, false));
    }

    @Override
    public PositionOutputStream createOrOverwrite(long blockSize) throws IOException {
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
