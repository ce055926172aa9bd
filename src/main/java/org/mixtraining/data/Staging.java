package org.mixtraining.data;

import org.mixtraining.config.Location;
import java.io.IOException;
import java.util.Arrays;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkExecutorInfo;
import org.mixtraining.config.UserException;

/**
 * A directory that is filled beside its final place and appears there whole, by a rename, or not at
 * all.
 */
final class Staging implements AutoCloseable {
  private static final long PATIENCE = TimeUnit.SECONDS.toNanos(20);

  private final SparkContext spark;
  private final FileSystem fs;
  private final Path target;
  private final Path directory;

  /** Refuses a target that may not be replaced, before any work is done for it. */
  Staging(SparkContext spark, String path, Prepare.Existing existing) throws IOException {
    var given = Location.path(path);
    this.spark = spark;
    this.fs = given.getFileSystem(spark.hadoopConfiguration());
    this.target = fs.makeQualified(given);
    this.directory = sibling("preparing");
    if (!fs.exists(target)) {
      return;
    }
    boolean dataset = fs.exists(new Path(target, DatasetManifest.FILE));
    if (dataset && existing == Prepare.Existing.REFUSE) {
      throw new UserException(
          "data.path: a dataset is already at %s; --force replaces it".formatted(path));
    }
    boolean empty =
        fs.getFileStatus(target).isDirectory() && !fs.listStatusIterator(target).hasNext();
    if (!dataset && !empty) {
      throw new UserException(
          "data.path: %s holds something other than a prepared dataset (it has no %s); name a new directory"
              .formatted(path, DatasetManifest.FILE));
    }
  }

  /** Where to write. */
  Path directory() {
    return directory;
  }

  /** Puts what was written in its final place. */
  void publish() throws IOException {
    var old = sibling("replaced");
    if (fs.exists(target)) {
      rename(target, old);
    }
    rename(directory, target);
    fs.delete(old, true);
  }

  @Override
  public void close() throws IOException {
    if (fs.exists(directory)) {
      awaitTasks();
      fs.delete(directory, true);
    }
  }

  /** Tasks end after the job that failed, and would write into a directory that is gone anew. */
  private void awaitTasks() {
    long start = System.nanoTime();
    while (running() > 0 && System.nanoTime() - start < PATIENCE) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
    }
  }

  private int running() {
    return Arrays.stream(spark.statusTracker().getExecutorInfos())
        .mapToInt(SparkExecutorInfo::numRunningTasks)
        .sum();
  }

  private void rename(Path from, Path to) throws IOException {
    if (!fs.rename(from, to)) {
      throw new IOException("cannot rename %s to %s".formatted(from, to));
    }
  }

  private Path sibling(String purpose) {
    return Location.child(
        target.getParent(), ".%s.%s-%s".formatted(target.getName(), purpose, UUID.randomUUID()));
  }
}
