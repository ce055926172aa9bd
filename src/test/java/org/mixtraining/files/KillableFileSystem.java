package org.mixtraining.files;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;

/**
 * Local files of a process that is killed at its n-th operation that changes a file: of the bytes
 * it was about to write half are there, and nothing works any more.
 */
public final class KillableFileSystem extends FaultyFileSystem {
  private static int left;

  public static final class Killed extends Error {
    private static final long serialVersionUID = 1L;
  }

  /** A configuration whose local files are these. */
  public static Configuration configuration() {
    return configuration(KillableFileSystem.class);
  }

  /** The next process is killed at its n-th operation. */
  public static void killAt(int operation) {
    left = operation;
  }

  private static void change() {
    alive();
    left--;
    alive();
  }

  private static void alive() {
    if (left <= 0) {
      throw new Killed();
    }
  }

  @Override
  void creating(Path file) {
    change();
  }

  @Override
  OutputStream faulty(OutputStream file) {
    return new FilterOutputStream(file) {
      private boolean begun;

      @Override
      public void write(byte[] bytes, int from, int length) throws IOException {
        out.write(bytes, from, length / 2);
        if (!begun) {
          out.flush();
          change();
          begun = true;
        }
        out.write(bytes, from + length / 2, length - length / 2);
      }

      @Override
      public void close() throws IOException {
        alive();
        super.close();
      }
    };
  }

  @Override
  public boolean rename(Path from, Path to) throws IOException {
    change();
    return super.rename(from, to);
  }

  @Override
  public boolean delete(Path path, boolean recursive) throws IOException {
    change();
    return super.delete(path, recursive);
  }

  @Override
  public FSDataInputStream open(Path file, int bufferSize) throws IOException {
    alive();
    return super.open(file, bufferSize);
  }
}
