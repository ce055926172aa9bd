package org.mixtraining.files;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSError;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options.Rename;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.PathIOException;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
import org.mixtraining.config.Location;

/**
 * Atomic replacement of a file: it is written under a name that readers skip, then renamed over the
 * one before, in one step if the file system can (local, HDFS). Temporary files of a killed writer
 * are removed by the next one in the same directory. To an {@link ObjectStore} it is put as a
 * whole, which replaces the one before in one step, where a rename would leave none for a moment.
 */
public final class WholeFile {
  private static final String MARK = LockOwner.self().mark();
  private static final AtomicInteger WRITTEN = new AtomicInteger();
  private static final Pattern HIDDEN = Pattern.compile("\\..+\\.(" + LockOwner.MARK + ")\\.\\d+");

  /** Age from which a temporary file is stale whose writer cannot be checked for being alive. */
  private static final Duration STALE = Duration.ofMinutes(10);

  private static final int ATTEMPTS = 10;

  private final FileSystem files;
  private final Path path;
  private final Configuration conf;

  public WholeFile(Path path, Configuration conf) throws IOException {
    this.files = Location.fileSystem(path, conf);
    this.path = path;
    this.conf = conf;
  }

  /** Writer of the file's content. */
  @FunctionalInterface
  public interface Content {
    void writeTo(FSDataOutputStream out) throws IOException;
  }

  /** Replaces the file; the old one stays until the new one is complete. */
  public void write(Content content) throws IOException {
    if (ObjectStore.is(files)) {
      put(content);
    } else {
      rename(content);
    }
  }

  /**
   * The bytes of a file that another process may be replacing: S3A refuses to read one that was
   * replaced since it was opened, which the next attempt opens anew.
   */
  public static byte[] read(FileSystem files, Path path) throws IOException {
    for (int attempt = 1; ; attempt++) {
      try (InputStream in = files.open(path)) {
        return in.readAllBytes();
      } catch (PathIOException e) {
        if (attempt == ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  /** By way of a local file: a stream to the store that ends early would put what it has so far. */
  private void put(Content content) throws IOException {
    var local = Files.createTempFile("mixtraining-", null);
    try {
      try (FSDataOutputStream out = new FSDataOutputStream(Files.newOutputStream(local), null)) {
        content.writeTo(out);
      }
      try (FSDataOutputStream out = files.create(path, true)) {
        Files.copy(local, out);
      }
    } finally {
      Files.deleteIfExists(local);
    }
  }

  private void rename(Content content) throws IOException {
    Path hidden = hidden();
    try {
      try (FSDataOutputStream out = files.create(hidden, false)) {
        content.writeTo(out);
      }
      moveOver(hidden);
      removeLeftOver();
    } catch (FSError e) { // thrown by Hadoop for a full disk
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

  /** A unique temporary name in the same directory. */
  public Path hidden() {
    return Location.child(
        path.getParent(), "." + path.getName() + "." + MARK + "." + WRITTEN.incrementAndGet());
  }

  private void removeLeftOver() {
    try {
      long now = files.getFileStatus(path).getModificationTime(); // the file system's clock
      for (FileStatus other : files.listStatus(path.getParent())) {
        if (other.isFile() && isLeftOver(other, now)) {
          files.delete(other.getPath(), false);
        }
      }
    } catch (IOException | RuntimeException e) {
      // What was to be written is there, and the next one will look again.
    }
  }

  private static boolean isLeftOver(FileStatus file, long now) {
    Matcher hidden = HIDDEN.matcher(file.getPath().getName());
    return hidden.matches()
        && LockOwner.isAlive(hidden.group(1))
            .map(alive -> !alive)
            .orElse(now - file.getModificationTime() > STALE.toMillis());
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
