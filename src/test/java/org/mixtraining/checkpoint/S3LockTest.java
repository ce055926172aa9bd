package org.mixtraining.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.commons.lang3.function.Failable;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.files.LockOwner;
import org.mixtraining.files.S3Server;

/** Locks in an S3 store that takes 200 ms a call and fails each 50th. */
@Tag("object-store")
class S3LockTest {
  private static final RunLock.Pace PACE =
      new RunLock.Pace(
          Duration.ofHours(1), // the test beats itself
          Duration.ofSeconds(60),
          Duration.ofSeconds(3),
          Duration.ofMillis(500));
  private static final int RUNS = 20;
  private static final int BEATS = 50;

  @TempDir java.nio.file.Path directory;

  private static Path path(int run) {
    return new Path("s3a://bucket/runs/checkpoints/run-%s/LOCK".formatted(run));
  }

  @Test
  void noRunEndsByItsOwnHeartbeatAndOfTwoDriversOneGetsIt() throws Exception {
    ExecutorService threads = Executors.newCachedThreadPool();
    try (S3Server server = new S3Server(directory, Duration.ofMillis(200), 50)) {
      Configuration conf = server.configuration();
      AtomicInteger refused = new AtomicInteger();
      AtomicInteger absent = new AtomicInteger();
      AtomicBoolean over = new AtomicBoolean();
      List<Integer> beaten = Collections.synchronizedList(new ArrayList<>());
      Future<?> reader = threads.submit(() -> Failable.run(() -> poll(conf, over, absent)));
      List<Future<?>> drivers = new ArrayList<>();
      for (int driver = 0; driver < 2 * RUNS; driver++) {
        int run = driver / 2;
        drivers.add(
            threads.submit(
                () -> {
                  try (RunLock lock = RunLock.acquire(path(run), conf, PACE, line -> {})) {
                    for (int beat = 0; beat < BEATS; beat++) {
                      lock.beat();
                      lock.check();
                    }
                    beaten.add(run);
                    Thread.sleep(5_000); // the reader has seen the last one
                    return null;
                  } catch (RunHeldException e) {
                    refused.incrementAndGet();
                    return null;
                  }
                }));
      }
      for (Future<?> driver : drivers) {
        driver.get();
      }
      over.set(true);
      reader.get();
      assertThat(beaten)
          .containsExactlyInAnyOrderElementsOf(IntStream.range(0, RUNS).boxed().toList());
      assertThat(refused).hasValue(RUNS);
      assertThat(absent).hasValue(0);
    } finally {
      threads.shutdownNow();
    }
  }

  /** Counts how often the lock of a run that trains was not there. */
  private static void poll(Configuration conf, AtomicBoolean over, AtomicInteger absent)
      throws Exception {
    FileSystem files = path(0).getFileSystem(conf);
    LockOwner owner = LockOwner.UNKNOWN;
    int missed = 0;
    while (!over.get()) {
      LockOwner found = LockOwner.read(files, path(0));
      if (!found.equals(LockOwner.UNKNOWN)) {
        absent.addAndGet(missed); // it was there before, and is again
        missed = 0;
        owner = found;
      } else if (!owner.equals(LockOwner.UNKNOWN)) {
        missed++;
      }
    }
  }
}
