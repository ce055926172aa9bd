package org.mixtraining.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointsTest {
  @TempDir Path output;
  private final List<String> told = new ArrayList<>();
  private Checkpoints checkpoints;
  private Path directory;

  @BeforeEach
  void open() {
    checkpoints = new Checkpoints(new Configuration(), output.toString(), "a");
    directory = output.resolve("checkpoints/a");
  }

  private List<String> files() throws IOException {
    try (var files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void ofARunThatWasNeverStartedThereIsNone() {
    assertThat(checkpoints.newest(told::add)).isEmpty();
    assertThat(checkpoints.read(Checkpoints.Model.BEST)).isEmpty();
    assertThat(checkpoints.exist()).isFalse();
    assertThat(told).isEmpty();
  }

  @Test
  void theNewestAreKept() throws IOException {
    for (int epochs = 8; epochs <= 11; epochs++) {
      checkpoints.save(CheckpointFixtures.checkpoint(epochs), 2);
    }

    assertThat(files()).containsExactly("epoch-00010.safetensors", "epoch-00011.safetensors");
    assertThat(checkpoints.newest(told::add)).contains(CheckpointFixtures.checkpoint(11));
    assertThat(checkpoints.exist()).isTrue();
  }

  @Test
  void modelsAreKeptApart() throws IOException {
    checkpoints.save(CheckpointFixtures.checkpoint(1), Checkpoints.Model.BEST);
    checkpoints.save(CheckpointFixtures.checkpoint(2), Checkpoints.Model.FINAL);
    checkpoints.save(CheckpointFixtures.checkpoint(3), Checkpoints.Model.FINAL);

    assertThat(files()).containsExactly("best.safetensors", "final.safetensors");
    assertThat(checkpoints.read(Checkpoints.Model.BEST))
        .contains(CheckpointFixtures.checkpoint(1).model());
    assertThat(checkpoints.read(Checkpoints.Model.FINAL))
        .contains(CheckpointFixtures.checkpoint(3).model());
    assertThat(checkpoints.newest(told::add)).isEmpty();
  }

  @Test
  void aDamagedNewestOneGivesWayToTheOneBefore() throws IOException {
    checkpoints.save(CheckpointFixtures.checkpoint(1), 3);
    checkpoints.save(CheckpointFixtures.checkpoint(2), 3);
    checkpoints.save(CheckpointFixtures.checkpoint(3), 3);
    Path third = directory.resolve("epoch-00003.safetensors");
    Files.write(third, Arrays.copyOf(Files.readAllBytes(third), 2000));
    Path second = directory.resolve("epoch-00002.safetensors");
    byte[] bytes = Files.readAllBytes(second);
    bytes[bytes.length / 2] ^= 1;
    Files.write(second, bytes);

    assertThat(checkpoints.newest(told::add)).contains(CheckpointFixtures.checkpoint(1));
    assertThat(told)
        .satisfiesExactly(
            line ->
                assertThat(line)
                    .startsWith(
                        "skipped file:"
                            + third
                            + ": it is truncated or has extra bytes: its header"),
            line ->
                assertThat(line)
                    .isEqualTo(
                        "skipped file:"
                            + second
                            + ": its checksum does not match: it was altered"));
  }

  @Test
  void aDamagedModelIsNamed() throws IOException {
    checkpoints.save(CheckpointFixtures.checkpoint(1), Checkpoints.Model.BEST);
    Files.writeString(directory.resolve("best.safetensors"), "nothing");

    assertThatThrownBy(() -> checkpoints.read(Checkpoints.Model.BEST))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageEndingWith("checkpoints/a/best.safetensors: it has only 7 bytes");
  }

  @Test
  void whatAKilledWriterLeftIsNeitherReadNorKept() throws IOException {
    checkpoints.save(CheckpointFixtures.checkpoint(1), 2);
    Files.writeString(directory.resolve(".epoch-00002.safetensors.1234"), "half of");
    Files.writeString(directory.resolve("LOCK"), "mine");

    assertThat(checkpoints.newest(told::add)).contains(CheckpointFixtures.checkpoint(1));
    checkpoints.tidy(2);
    assertThat(files()).containsExactly("LOCK", "epoch-00001.safetensors");
  }

  @Test
  void aForgottenRunLeavesItsLockOnly() throws IOException {
    checkpoints.save(CheckpointFixtures.checkpoint(1), 2);
    checkpoints.save(CheckpointFixtures.checkpoint(1), Checkpoints.Model.BEST);
    Files.writeString(directory.resolve(".best.safetensors.1234"), "half of");
    Files.writeString(directory.resolve("LOCK"), "mine");

    checkpoints.delete();

    assertThat(files()).containsExactly("LOCK");
    assertThat(checkpoints.exist()).isFalse();
  }
}
