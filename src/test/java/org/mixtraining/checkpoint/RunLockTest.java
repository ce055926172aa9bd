package org.mixtraining.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.commons.lang3.function.Failable;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.files.LockOwner;

class RunLockTest {
  @TempDir Path output;
  private final List<String> told = new ArrayList<>();

  private RunLock lock() {
    return lock(Duration.ofSeconds(60));
  }

  private RunLock lock(Duration stale) {
    return lock(stale, told::add);
  }

  private RunLock lock(Duration stale, Consumer<String> report) {
    var path = new org.apache.hadoop.fs.Path(file().toString());
    var pace = new RunLock.Pace(Duration.ofHours(1), stale, Duration.ZERO, Duration.ofMillis(20));
    return RunLock.acquire(path, new Configuration(), pace, report);
  }

  private Path file() {
    return output.resolve("checkpoints/a/LOCK");
  }

  /** A lock whose owner last gave a sign of life some seconds ago. */
  private void locked(LockOwner owner, long seconds) throws IOException {
    Files.createDirectories(file().getParent());
    Files.write(file(), new ObjectMapper().writeValueAsBytes(owner));
    Files.setLastModifiedTime(file(), FileTime.from(Instant.now().minusSeconds(seconds)));
  }

  private static LockOwner elsewhere() {
    return new LockOwner("t", "node-7", 4711, "2026-01-01T00:00:00Z", "another kernel");
  }

  @Test
  void itIsThereWhileItIsHeldAndGoneAfterwards() {
    try (RunLock lock = lock()) {
      assertThat(file()).isRegularFile();
      lock.check();
    }

    assertThat(file()).doesNotExist();
    lock().close();
    assertThat(told).isEmpty();
  }

  @Test
  void aSecondStartIsRefusedAndToldWhoIsTraining() {
    try (RunLock first = lock()) {
      assertThatThrownBy(this::lock)
          .isInstanceOf(RunHeldException.class)
          .hasMessageStartingWith(
              "mixtraining.run.id = a: process %d on ", ProcessHandle.current().pid())
          .hasMessageContaining("is training this run (last heartbeat 0 s ago)");
      first.check();
    }
  }

  @Test
  void aProcessOnAnotherMachineThatGivesASignOfLifeHoldsTheRun() throws Exception {
    locked(elsewhere(), 50);
    Thread beats = new Thread(() -> Failable.run(() -> locked(elsewhere(), 0)));

    assertThatThrownBy(
            () ->
                lock(
                    Duration.ofSeconds(60),
                    line -> {
                      told.add(line);
                      beats.start();
                    }))
        .isInstanceOf(RunHeldException.class)
        .hasMessageContaining(
            "process 4711 on node-7 is training this run (last heartbeat 50 s ago)");
    assertThat(told)
        .containsExactly(
            "process 4711 on node-7 holds the run's lock (last heartbeat 50 s ago); waiting up to 10 s for its next one");
    beats.join();
    assertThat(file()).content().contains("node-7");
  }

  /** As of a lost node, or of an ApplicationMaster that YARN starts again on another one. */
  @Test
  void oneThatGivesNoneIsTakenOverAfterItsTime() throws IOException {
    locked(elsewhere(), 0);

    try (RunLock lock = lock(Duration.ofMillis(300))) {
      lock.check();
    }

    assertThat(told).hasSize(2);
    assertThat(told.get(1)).startsWith("took over the run's lock from process 4711 on node-7");
  }

  @Test
  void aSilentOneIsTakenOver() throws IOException {
    locked(elsewhere(), 61);

    try (RunLock lock = lock()) {
      lock.check();
      assertThat(told)
          .containsExactly(
              "took over the run's lock from process 4711 on node-7, which is no longer running (last heartbeat 61 s ago)");
    }
  }

  @Test
  void aDeadProcessOfThisMachineIsTakenOverAtOnce() throws IOException {
    LockOwner self = LockOwner.self();
    locked(new LockOwner("t", self.host(), self.pid(), "long ago", self.system()), 0);

    lock().close();

    assertThat(told)
        .singleElement()
        .asString()
        .contains("which is no longer running (last heartbeat 0 s");
  }

  @Test
  void aLockThatWasCutOffIsBelievedForItsTime() throws IOException {
    locked(elsewhere(), 50);
    Files.writeString(file(), "{\"tok");

    lock(Duration.ofMillis(300)).close();

    assertThat(told.get(0)).startsWith("process 0 on an unknown host holds the run's lock");
    assertThat(told).hasSize(2);
  }

  /** As while a store replaces the file by deleting it first. */
  @Test
  void anOwnerThatFindsNoFileLooksAgain() throws Exception {
    try (RunLock lock = lock()) {
      byte[] own = Files.readAllBytes(file());
      Files.delete(file());
      Thread back = new Thread(() -> Failable.run(() -> Files.write(file(), own)));
      back.start();

      lock.check();
      back.join();
      Files.delete(file());
      assertThat(lock.isHeld()).isFalse();
    }
  }

  @Test
  void whoLostItFindsOutAndLeavesTheNewOwnersAlone() throws IOException {
    RunLock lock = lock();
    locked(elsewhere(), 0);

    assertThatThrownBy(lock::check)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("another process has taken over this run");
    lock.close();
    assertThat(file()).isRegularFile();
  }
}
