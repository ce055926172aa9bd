package org.mixtraining.checkpoint;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.commons.lang3.concurrent.BasicThreadFactory;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSError;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.mixtraining.config.Location;
import org.mixtraining.files.LockOwner;
import org.mixtraining.files.ObjectStore;
import org.mixtraining.files.WholeFile;

/**
 * The lock of a run: a file that names the process that trains it, rewritten every few seconds as a
 * heartbeat. If the heartbeat stops, or the process is known to be dead, another one may take the
 * lock over; the owner notices before it next writes for the run.
 */
public final class RunLock implements AutoCloseable {

  /**
   * Times of a lock.
   *
   * @param beat between two heartbeats
   * @param stale silence after which an owner is taken for dead
   * @param settled until the last of several who made it at once has written its name
   * @param look between two looks at a file that may have changed
   */
  record Pace(Duration beat, Duration stale, Duration settled, Duration look) {
    static final Pace USUAL =
        new Pace(
            Duration.ofSeconds(10),
            Duration.ofSeconds(60),
            Duration.ofSeconds(3),
            Duration.ofMillis(500));
  }

  /** Looks at a file that names nobody before it is believed. */
  private static final int LOOKS = 6;

  private final Path path;
  private final Configuration conf;
  private final Pace pace;
  private final LockOwner owner;
  private final ScheduledExecutorService heart;

  private RunLock(Path path, Configuration conf, Pace pace, LockOwner owner) {
    this.path = path;
    this.conf = conf;
    this.pace = pace;
    this.owner = owner;
    this.heart =
        Executors.newSingleThreadScheduledExecutor(
            new BasicThreadFactory.Builder().namingPattern("run-lock").daemon(true).build());
  }

  /**
   * Takes the lock. An owner of which nothing is known here is watched until it gives a sign of
   * life or has been silent for too long.
   *
   * @param report told if that takes a while, and if the lock is taken over from a dead process
   * @throws RunHeldException if another process holds it
   */
  static RunLock acquire(Path path, Configuration conf, Pace pace, Consumer<String> report) {
    RunLock lock = new RunLock(path, conf, pace, LockOwner.self());
    try {
      FileSystem files = lock.files();
      boolean fresh = create(files, path, lock.owner);
      while (!fresh && !create(files, path, lock.owner)) {
        lock.outlive(files, report);
      }
      if (ObjectStore.is(files)) { // others may have made it too
        lock.pause(pace.settled);
      } else if (!fresh) { // others may have taken it over too
        lock.pause(pace.look);
      }
      if (!lock.isHeld()) {
        throw new RunHeldException("%s: another process has just taken this lock".formatted(path));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot lock " + path, e);
    }
    long millis = pace.beat.toMillis();
    lock.heart.scheduleWithFixedDelay(lock::beat, millis, millis, TimeUnit.MILLISECONDS);
    return lock;
  }

  /** Waits for the end of an owner, and deletes its lock. */
  private void outlive(FileSystem files, Consumer<String> report) throws IOException {
    LockOwner other = LockOwner.read(files, path);
    Path probe = new Path(path.getParent(), "." + path.getName() + "." + owner.token());
    try {
      long sign = files.getFileStatus(path).getModificationTime();
      Duration silence = LockOwner.silence(files, path, probe);
      Optional<Boolean> alive = other.isAlive();
      if (alive.isEmpty() && silence.compareTo(pace.stale) < 0) {
        report.accept(
            "%s holds the run's lock (last heartbeat %s s ago); waiting up to %s s for its next one"
                .formatted(
                    other, silence.toSeconds(), pace.stale.toSeconds() - silence.toSeconds()));
        alive = Optional.of(lives(files, sign, silence));
      }
      if (alive.orElse(false)) {
        throw new RunHeldException(
            "mixtraining.run.id = %s: %s is training this run (last heartbeat %s s ago); wait for it, stop it, or choose another id"
                .formatted(path.getParent().getName(), other, silence.toSeconds()));
      }
      report.accept(
          "took over the run's lock from %s, which is no longer running (last heartbeat %s s ago)"
              .formatted(other, silence.toSeconds()));
      files.delete(path, false);
    } catch (FileNotFoundException e) {
      // Its owner has ended, and deleted it.
    }
  }

  /** Whether there is a sign of life after an earlier one, before the silence is too long. */
  private boolean lives(FileSystem files, long sign, Duration silence) throws IOException {
    long start = System.nanoTime();
    while (silence.plusNanos(System.nanoTime() - start).compareTo(pace.stale) < 0) {
      pause(pace.look);
      if (files.getFileStatus(path).getModificationTime() != sign) {
        return true;
      }
    }
    return false;
  }

  private void pause(Duration time) {
    try {
      Thread.sleep(time.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while it waited for " + path, e);
    }
  }

  /**
   * Checks that this process still holds the lock.
   *
   * @throws IllegalStateException if another process has taken it over
   */
  public void check() {
    if (!isHeld()) {
      throw new IllegalStateException(
          "%s: another process has taken over this run because this one's heartbeat had stopped; this process stops"
              .formatted(path));
    }
  }

  /**
   * Whether this process still holds the lock. On some file systems there is no file, or an empty
   * one, while it is being replaced: then it looks again. Its own heartbeat it waits for.
   */
  public synchronized boolean isHeld() {
    try {
      LockOwner found = LockOwner.read(files(), path);
      for (int looks = 1; found.equals(LockOwner.UNKNOWN) && looks < LOOKS; looks++) {
        pause(pace.look);
        found = LockOwner.read(files(), path);
      }
      return owner.equals(found);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + path, e);
    }
  }

  synchronized void beat() {
    try {
      if (isHeld()) {
        new WholeFile(path, conf).write(out -> out.write(owner.file()));
      }
    } catch (IOException | RuntimeException e) {
      // The next beat may reach the file system again; check() tells if it did not in time.
    }
  }

  @Override
  public void close() {
    heart.shutdown();
    try {
      heart.awaitTermination(pace.beat.toMillis(), TimeUnit.MILLISECONDS);
      if (isHeld()) {
        files().delete(path, false);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete " + path, e);
    }
  }

  private FileSystem files() throws IOException {
    return Location.fileSystem(path, conf);
  }

  /** Whether this call made the file. */
  private static boolean create(FileSystem files, Path path, LockOwner owner) throws IOException {
    OutputStream created;
    try {
      created = files.create(path, false);
    } catch (FileAlreadyExistsException e) {
      return false;
    }
    try (OutputStream out = created) {
      out.write(owner.file());
      return true;
    } catch (IOException | FSError e) { // the latter of a full disk
      files.delete(path, false);
      throw e instanceof IOException known ? known : new IOException(e.getCause().getMessage(), e);
    }
  }
}
