package org.mixtraining.cli;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSError;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/** Local files on a disk with room for so many bytes. */
public final class FullFileSystem extends RawLocalFileSystem {
  static long capacity;
  private static Path root;
  private static long used; // since the last file was made, which is when room is counted anew
  private static boolean asError;

  /**
   * A configuration whose local files are these.
   *
   * @param disk directory of all that counts
   * @param error whether it is an Error, as Hadoop's own file systems throw it, or an exception
   */
  static Configuration configuration(Path disk, boolean error) {
    root = disk;
    asError = error;
    Configuration conf = new Configuration();
    conf.set("fs.file.impl", FullFileSystem.class.getName());
    conf.setBoolean("fs.file.impl.disable.cache", true);
    return conf;
  }

  /** Bytes of the files below a directory. */
  static long size(Path directory) throws IOException {
    try (var files = Files.walk(directory)) {
      return files.filter(Files::isRegularFile).mapToLong(FullFileSystem::length).sum();
    } catch (UncheckedIOException e) { // one was deleted meanwhile
      return size(directory);
    }
  }

  private static long length(Path file) {
    try {
      return Files.size(file);
    } catch (NoSuchFileException e) {
      return 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void take(int bytes) throws IOException {
    used += bytes;
    if (used > capacity) {
      IOException full = new IOException("No space left on device");
      if (!asError) {
        throw full;
      }
      try {
        var constructor = FSError.class.getDeclaredConstructor(Throwable.class);
        constructor.setAccessible(true);
        throw constructor.newInstance(full);
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  private static FSDataOutputStream limited(OutputStream out) throws IOException {
    used = size(root);
    OutputStream limited =
        new FilterOutputStream(out) {
          @Override
          public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
          }

          @Override
          public void write(byte[] bytes, int from, int length) throws IOException {
            take(length);
            out.write(bytes, from, length);
            out.flush();
          }
        };
    return new FSDataOutputStream(limited, null);
  }

  @Override
  public FSDataOutputStream create(
      org.apache.hadoop.fs.Path file,
      FsPermission permission,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress)
      throws IOException {
    return limited(
        super.create(file, permission, overwrite, bufferSize, replication, blockSize, progress));
  }

  @Override
  public FSDataOutputStream create(
      org.apache.hadoop.fs.Path file,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress)
      throws IOException {
    return limited(super.create(file, overwrite, bufferSize, replication, blockSize, progress));
  }
}
