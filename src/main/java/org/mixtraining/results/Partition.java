package org.mixtraining.results;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
import org.apache.parquet.example.data.Group;
import org.mixtraining.config.RunConfig;
import org.mixtraining.config.UserException;

/** The files that a table has of a run. */
record Partition(Path root, Configuration conf, Table table, String runId) {

  /**
   * @param root the directory of all tables
   * @throws UserException if the run's id is not fit for a directory name
   */
  Partition {
    RunConfig.checkedId(runId);
  }

  private Path path() {
    return new Path(new Path(root, table.name()), Table.PARTITION + "=" + runId);
  }

  private Path file(String part) {
    return new Path(path(), part + ".parquet");
  }

  /** The records of a part; none if there is no such file. */
  List<Group> records(String part) {
    return read(file(part));
  }

  /** Those of all parts but one. */
  List<Group> recordsBut(String part) {
    List<Group> records = new ArrayList<>();
    try {
      FileSystem files = path().getFileSystem(conf);
      if (files.exists(path())) {
        for (FileStatus file : files.listStatus(path(), Part::isOne)) {
          if (!file.getPath().getName().equals(file(part).getName())) {
            records.addAll(read(file.getPath()));
          }
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + path(), e);
    }
    return records;
  }

  /** Those of all parts. */
  List<Group> records() {
    return recordsBut("");
  }

  private List<Group> read(Path file) {
    try {
      return new Part(file, conf).read();
    } catch (UnsupportedFileSystemException e) {
      throw unsupported(e, root.getParent().toString());
    } catch (IOException | RuntimeException e) { // Parquet throws either where a file is damaged
      throw new UserException(
          "%s: cannot be read (%s); delete it to discard its rows".formatted(file, e.getMessage()));
    }
  }

  /**
   * Replaces a part.
   *
   * @throws UncheckedIOException if it cannot be written; what was there before stays
   */
  void write(String part, List<Group> records) {
    try {
      new Part(file(part), conf).write(table, records);
    } catch (UnsupportedFileSystemException e) {
      throw unsupported(e, root.getParent().toString());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write %s to %s".formatted(part, path()), e);
    }
  }

  void delete() {
    delete(path(), conf);
  }

  static void delete(Path directory, Configuration conf) {
    try {
      directory.getFileSystem(conf).delete(directory, true);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete " + directory, e);
    }
  }

  static UserException unsupported(UnsupportedFileSystemException e, String output) {
    return new UserException("mixtraining.run.output: " + output + ": " + e.getMessage());
  }
}
