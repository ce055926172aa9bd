package org.mixtraining.files;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSError;

/** Local files on a disk with room for so many bytes. */
public final class FullFileSystem extends FaultyFileSystem {
  public static long capacity;
  private static Path root;
  private static long used; // since the last file was made, which is when room is counted anew
  private static boolean asError;

  /**
   * A configuration whose local files are these.
   *
   * @param disk directory of all that counts
   * @param error whether it is an Error, as Hadoop's own file systems throw it, or an exception
   */
  public static Configuration configuration(Path disk, boolean error) {
    root = disk;
    asError = error;
    return configuration(FullFileSystem.class);
  }

  /** Bytes of the files below a directory. */
  public static long size(Path directory) throws IOException {
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

  @Override
  OutputStream faulty(OutputStream file) throws IOException {
    used = size(root);
    return new FilterOutputStream(file) {
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
  }
}
