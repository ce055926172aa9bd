package org.mixtraining.cli;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/**
 * Local files of a process that is killed at its n-th operation that changes a file: of the bytes
 * it was about to write half are there, and nothing works any more.
 */
public final class KillableFileSystem extends RawLocalFileSystem {
  private static int left;

  static final class Killed extends Error {
    private static final long serialVersionUID = 1L;
  }

  /** A configuration whose local files are these. */
  static Configuration configuration() {
    Configuration conf = new Configuration();
    conf.set("fs.file.impl", KillableFileSystem.class.getName());
    conf.setBoolean("fs.file.impl.disable.cache", true);
    return conf;
  }

  /** The next process is killed at its n-th operation. */
  static void killAt(int operation) {
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
  public FSDataOutputStream create(
      Path file,
      FsPermission permission,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress)
      throws IOException {
    change();
    return killable(
        super.create(file, permission, overwrite, bufferSize, replication, blockSize, progress));
  }

  @Override
  public FSDataOutputStream create(
      Path file,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress)
      throws IOException {
    change();
    return killable(super.create(file, overwrite, bufferSize, replication, blockSize, progress));
  }

  private static FSDataOutputStream killable(OutputStream out) throws IOException {
    OutputStream half =
        new FilterOutputStream(out) {
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
    return new FSDataOutputStream(half, null);
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
