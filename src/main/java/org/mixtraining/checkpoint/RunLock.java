package org.mixtraining.checkpoint;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
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
import org.mixtraining.config.UserException;
import org.mixtraining.files.LockOwner;
import org.mixtraining.results.WholeFile;

/**
 * The lock of a run: a file that names the process that trains it, rewritten every few seconds as a
 * heartbeat. If the heartbeat stops, or the process is known to be dead, another one may take the
 * lock over; the owner notices before it next writes for the run.
 */
public final class RunLock implements AutoCloseable {
  static final Duration SIGN_OF_LIFE = Duration.ofSeconds(10);
  static final Duration STALE = Duration.ofSeconds(60);

  private final Path path;
  private final Configuration conf;
  private final LockOwner owner;
  private final ScheduledExecutorService heart;

  private RunLock(Path path, Configuration conf, LockOwner owner) {
    this.path = path;
    this.conf = conf;
    this.owner = owner;
    this.heart =
        Executors.newSingleThreadScheduledExecutor(
            new BasicThreadFactory.Builder().namingPattern("run-lock").daemon(true).build());
    long seconds = SIGN_OF_LIFE.toSeconds();
    heart.scheduleWithFixedDelay(this::beat, seconds, seconds, TimeUnit.SECONDS);
  }

  /**
   * @param report told if the lock is taken over from a dead process
   * @throws UserException if another process holds it
   */
  static RunLock acquire(Path path, Configuration conf, Consumer<String> report) {
    LockOwner self = LockOwner.self();
    try {
      FileSystem files = Location.fileSystem(path, conf);
      if (!create(files, path, self)) {
        LockOwner other = LockOwner.read(files, path);
        Path probe = new Path(path.getParent(), "." + path.getName() + "." + self.token());
        Duration silence = LockOwner.silence(files, path, probe);
        refuseIfAlive(path, other, silence);
        report.accept(
            "took over the run's lock from %s, which is no longer running (last heartbeat %s s ago)"
                .formatted(other, silence.toSeconds()));
        files.delete(path, false);
        if (!create(files, path, self)) {
          throw new UserException("%s: another process has just taken this lock".formatted(path));
        }
      }
      return new RunLock(path, conf, self);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot lock " + path, e);
    }
  }

  private static void refuseIfAlive(Path path, LockOwner other, Duration silence) {
    boolean alive = other.isAlive().orElse(silence.compareTo(STALE) < 0);
    if (alive) {
      String run = path.getParent().getName();
      throw new UserException(
          "mixtraining.run.id = %s: %s is training this run (last heartbeat %s s ago); wait for it, stop it, or choose another id. If that process is no longer running, start again %s s after its last heartbeat"
              .formatted(run, other, silence.toSeconds(), STALE.toSeconds()));
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

  /** Whether this process still holds the lock. */
  public boolean isHeld() {
    try {
      return owner.equals(LockOwner.read(files(), path));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + path, e);
    }
  }

  private void beat() {
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
      heart.awaitTermination(SIGN_OF_LIFE.toSeconds(), TimeUnit.SECONDS);
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
