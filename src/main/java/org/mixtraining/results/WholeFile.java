package org.mixtraining.results;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumFileSystem;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSError;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options.Rename;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
import org.mixtraining.config.Location;

/**
 * A file that is whole or not there: written under a name that readers skip, then renamed over the
 * one before, in one step where the file system can (local, HDFS).
 */
public final class WholeFile {
  private final FileSystem files;
  private final Path path;
  private final Configuration conf;

  public WholeFile(Path path, Configuration conf) throws IOException {
    this.files = fileSystem(path, conf);
    this.path = path;
    this.conf = conf;
  }

  /** The file system of a path; of a local one that which leaves no .crc file beside each file. */
  public static FileSystem fileSystem(Path path, Configuration conf) throws IOException {
    FileSystem named = path.getFileSystem(conf);
    return named instanceof ChecksumFileSystem checked ? checked.getRawFileSystem() : named;
  }

  /** Writes what the file is to hold. */
  @FunctionalInterface
  public interface Content {
    void writeTo(FSDataOutputStream out) throws IOException;
  }

  /** Writes the file anew; what was there before stays until the new one is whole. */
  public void write(Content content) throws IOException {
    Path hidden = hidden();
    try {
      try (FSDataOutputStream out = files.create(hidden, false)) {
        content.writeTo(out);
      }
      moveOver(hidden);
    } catch (FSError e) { // what Hadoop makes of a full disk
      delete(hidden, e);
      throw new IOException(e.getCause().getMessage(), e);
    } catch (IOException | RuntimeException | Error e) {
      delete(hidden, e);
      throw e;
    }
  }

  private void delete(Path hidden, Throwable failure) {
    try {
      files.delete(hidden, false);
    } catch (IOException | RuntimeException | Error e) {
      failure.addSuppressed(e);
    }
  }

  /** A new name in the same directory, of its own so that two writers cannot mix their bytes. */
  Path hidden() {
    return Location.child(path.getParent(), "." + path.getName() + "." + UUID.randomUUID());
  }

  private void moveOver(Path hidden) throws IOException {
    if (files.getUri().getScheme().equals("file")) {
      // FileContext would delete first.
      Files.move(
          Location.file(files.makeQualified(hidden)),
          Location.file(files.makeQualified(path)),
          StandardCopyOption.ATOMIC_MOVE);
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
}
