package org.mixtraining.files;

import java.io.IOException;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.apache.commons.lang3.concurrent.BasicThreadFactory;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.TaskSchedulerImpl;
import org.mixtraining.config.Location;
import org.mixtraining.config.UserException;
import scala.collection.JavaConverters;

/**
 * A staging directory: Spark tasks write it beside the target, and a rename publishes it whole or
 * not at all. In an {@link ObjectStore}, which renames file by file, the file that seals it comes
 * last: without it there is nothing for a reader. It holds a file that names the owner, rewritten
 * every few seconds as a heartbeat: the staging directory of a killed process is removed by the
 * next one that writes the same target, but for {@linkplain #work work} that this one can go on
 * with.
 */
public final class Staging implements AutoCloseable {
  private static final long PATIENCE = TimeUnit.SECONDS.toNanos(20);
  private static final Duration SIGN_OF_LIFE = Duration.ofSeconds(10);
  private static final Duration STALE = Duration.ofSeconds(60);
  private static final String OWNER = "owner.json";
  private static final String REPLACED = "replaced";
  private static final String PUBLISHING = "publishing";
  private static final String WORK = "work";

  private final SparkContext spark;
  private final FileSystem fs;
  private final Path target;
  private final String seal;
  private final Path hidden;
  private final LockOwner self = LockOwner.self();
  private final ScheduledExecutorService heart =
      Executors.newSingleThreadScheduledExecutor(
          new BasicThreadFactory.Builder().namingPattern("staging").daemon(true).build());

  /**
   * Removes staging directories that dead processes left for the same target.
   *
   * @param target the directory to publish
   * @param seal name of the file in it without which readers take nothing there for complete
   * @param report told of what was removed
   */
  public Staging(SparkContext spark, Path target, String seal, Consumer<String> report)
      throws IOException {
    this.spark = spark;
    this.fs = Location.fileSystem(target, spark.hadoopConfiguration());
    this.target = fs.makeQualified(target);
    this.seal = seal;
    this.hidden = Location.child(this.target.getParent(), prefix() + UUID.randomUUID());
    removeLeftOver(report);
  }

  /**
   * The directory to write, which this process owns from now on.
   *
   * @param key name of the target in messages
   * @throws UserException if nothing can be written beside it
   */
  public Path directory(String key) throws IOException {
    try {
      beat();
    } catch (IOException e) {
      throw new UserException(
          "%s: cannot write in %s: %s".formatted(key, hidden.getParent(), e.getMessage()));
    }
    long seconds = SIGN_OF_LIFE.toSeconds();
    heart.scheduleWithFixedDelay(this::tryToBeat, seconds, seconds, TimeUnit.SECONDS);
    return Location.child(hidden, target.getName());
  }

  /**
   * A directory for work on the way, which is never published: if this process is killed, the next
   * one for the same target finds it in its own. It may be there or not.
   */
  public Path work() {
    return Location.child(hidden, WORK);
  }

  /** Moves what was written to the target, replacing what was there. */
  public void publish() throws IOException {
    if (ObjectStore.is(fs)) {
      publishFileByFile();
    } else {
      publishAtOnce();
    }
  }

  private void publishFileByFile() throws IOException {
    var made = Location.child(hidden, target.getName());
    fs.create(new Path(hidden, PUBLISHING), true).close();
    unpublish();
    fs.mkdirs(target);
    for (var part : fs.listStatus(made)) {
      if (!part.getPath().getName().equals(seal)) {
        rename(part.getPath(), Location.child(target, part.getPath().getName()));
      }
    }
    rename(new Path(made, seal), new Path(target, seal));
  }

  private void unpublish() throws IOException {
    fs.delete(new Path(target, seal), false);
    fs.delete(target, true);
  }

  private void publishAtOnce() throws IOException {
    var replaced = new Path(hidden, REPLACED);
    boolean replaces = fs.exists(target);
    if (replaces) {
      rename(target, replaced);
    }
    try {
      rename(Location.child(hidden, target.getName()), target);
    } catch (IOException e) {
      if (replaces) {
        rename(replaced, target);
      }
      throw e;
    }
  }

  @Override
  public void close() throws IOException {
    heart.shutdownNow();
    if (fs.exists(hidden)) {
      awaitTasks();
      awaitHeart();
      removeHalf(hidden);
      fs.delete(hidden, true);
    }
  }

  private void awaitHeart() {
    try {
      heart.awaitTermination(SIGN_OF_LIFE.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Tasks outlive the job that failed, and would recreate a deleted directory. */
  private void awaitTasks() {
    long start = System.nanoTime();
    while (running() > 0 && System.nanoTime() - start < PATIENCE) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
    }
  }

  /** As the scheduler knows it: Spark's status tracker is told of a task later than it begins. */
  private int running() {
    return spark.taskScheduler() instanceof TaskSchedulerImpl scheduler
        ? JavaConverters.mapAsJavaMap(scheduler.runningTasksByExecutors()).values().stream()
            .mapToInt(count -> (Integer) count)
            .sum()
        : 0;
  }

  private void rename(Path from, Path to) throws IOException {
    if (!fs.rename(from, to)) {
      throw new IOException("cannot rename %s to %s".formatted(from, to));
    }
  }

  private String prefix() {
    return "." + target.getName() + ".unfinished-";
  }

  // --- signs of life ---------------------------------------------------------------------------

  private void beat() throws IOException {
    try (var out = fs.create(new Path(hidden, OWNER), true)) {
      out.write(self.file());
    }
  }

  private void tryToBeat() {
    try {
      beat();
    } catch (IOException | RuntimeException e) {
      // the next beat may reach the file system again
    }
  }

  private void removeLeftOver(Consumer<String> report) throws IOException {
    if (!fs.exists(target.getParent())) {
      return;
    }
    for (var status : fs.listStatus(target.getParent())) {
      var path = status.getPath();
      if (status.isDirectory() && path.getName().startsWith(prefix())) {
        var owner = LockOwner.read(fs, new Path(path, OWNER));
        if (isGone(owner, path)) {
          removeHalf(path);
          restore(path, report);
          inherit(Location.child(path, WORK));
          fs.delete(path, true);
          report.accept(
              "removed %s, left unfinished by %s, which is no longer running"
                  .formatted(path.getName(), owner));
        }
      }
    }
  }

  private void inherit(Path work) throws IOException {
    if (fs.exists(work) && !fs.exists(work())) {
      fs.mkdirs(hidden);
      rename(work, work());
    }
  }

  /** The owner may have failed, or been killed, while it published file by file. */
  private void removeHalf(Path staging) throws IOException {
    if (fs.exists(new Path(staging, PUBLISHING)) && !fs.exists(new Path(target, seal))) {
      unpublish();
    }
  }

  /** The owner may have been killed between two renames. */
  private void restore(Path leftOver, Consumer<String> report) throws IOException {
    var replaced = new Path(leftOver, REPLACED);
    if (fs.exists(replaced) && !fs.exists(target)) {
      rename(replaced, target);
      report.accept("restored %s, whose replacement was interrupted".formatted(target));
    }
  }

  private boolean isGone(LockOwner owner, Path directory) throws IOException {
    var alive = owner.isAlive();
    if (alive.isPresent()) {
      return !alive.get();
    }
    var sign = new Path(directory, OWNER);
    var probe = Location.child(target.getParent(), prefix() + UUID.randomUUID());
    var silence = LockOwner.silence(fs, fs.exists(sign) ? sign : directory, probe);
    return silence.compareTo(STALE) > 0;
  }
}
