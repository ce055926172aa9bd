package org.mixtraining.data;

import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.Comparator;
import org.apache.spark.SparkEnv;
import org.mixtraining.config.UserException;

/**
 * Images in a file on a local disk, which is filled once. It has no name any more: the disk has its
 * room back when this is garbage or the process ends, however it ends.
 */
final class DiskStore implements ImageStore {

  /** Threads that read at a time. Unlike a channel, these stay open if one is interrupted. */
  private static final int HANDLES = 8;

  private final int imageBytes;
  private final RandomAccessFile[] handles = new RandomAccessFile[HANDLES];

  /**
   * Room for so many images.
   *
   * @param directory on the disk
   * @throws UserException if the disk has less
   */
  DiskStore(File directory, int images, int imageBytes) throws IOException {
    this.imageBytes = imageBytes;
    long bytes = (long) images * imageBytes;
    long free = directory.getUsableSpace();
    if (free < bytes) {
      throw new UserException(
          "mixtraining.data.cache = disk: needs %s MB of %s, which has %s MB left; give spark.local.dir a larger disk, or set mixtraining.data.cache = none"
              .formatted(bytes / 1_000_000, directory, free / 1_000_000));
    }
    var file = Files.createTempFile(directory.toPath(), "mixtraining-images", null);
    try {
      for (int i = 0; i < HANDLES; i++) {
        handles[i] = new RandomAccessFile(file.toFile(), "rw");
      }
    } finally {
      Files.delete(file);
    }
  }

  /** The roomiest of this process's local directories, which are Spark's where it is Spark's. */
  static File directory() {
    SparkEnv spark = SparkEnv.get();
    var temporary = new File(System.getProperty("java.io.tmpdir"));
    return spark == null
        ? temporary
        : Arrays.stream(spark.blockManager().diskBlockManager().localDirs())
            .max(Comparator.comparingLong(File::getUsableSpace))
            .orElse(temporary);
  }

  void put(int i, ByteBuffer pixels) {
    var bytes = new byte[imageBytes];
    pixels.get(pixels.position(), bytes);
    at(i, handle -> handle.write(bytes));
  }

  @Override
  public void read(int i, byte[] pixels) {
    at(i, handle -> handle.readFully(pixels, 0, imageBytes));
  }

  /** What is done in the file at an image's place. */
  private interface Access {
    void with(RandomAccessFile handle) throws IOException;
  }

  private void at(int i, Access access) {
    var handle = handles[i % HANDLES];
    synchronized (handle) {
      try {
        handle.seek((long) i * imageBytes);
        access.with(handle);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
