package org.mixtraining.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.UserException;
import org.mixtraining.files.LockOwner;

class RunLockTest {
  @TempDir Path output;
  private final List<String> told = new ArrayList<>();

  private RunLock lock() {
    return new Checkpoints(new Configuration(), output.toString(), "a").lock(told::add);
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
          .isInstanceOf(UserException.class)
          .hasMessageStartingWith(
              "mixtraining.run.id = a: process %d on ", ProcessHandle.current().pid())
          .hasMessageContaining("is training this run (last heartbeat 0 s ago)");
      first.check();
    }
  }

  @Test
  void aProcessOnAnotherMachineIsBelievedForAMinute() throws IOException {
    locked(elsewhere(), 50);

    assertThatThrownBy(this::lock)
        .isInstanceOf(UserException.class)
        .hasMessageContaining(
            "process 4711 on node-7 is training this run (last heartbeat 50 s ago)")
        .hasMessageEndingWith("start again 60 s after its last heartbeat");
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
  void aLockThatWasCutOffIsBelievedForAMinute() throws IOException {
    locked(elsewhere(), 0);
    Files.writeString(file(), "{\"tok");
    assertThatThrownBy(this::lock).hasMessageContaining("process 0 on an unknown host");

    Files.setLastModifiedTime(file(), FileTime.from(Instant.now().minusSeconds(70)));
    lock().close();
    assertThat(told).hasSize(1);
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
