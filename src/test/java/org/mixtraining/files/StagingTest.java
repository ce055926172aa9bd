package org.mixtraining.files;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StagingTest {
  private static final LockOwner SELF = LockOwner.self();
  private static final LockOwner GONE =
      new LockOwner("t", "here", SELF.pid(), "long ago", SELF.system());
  private static final LockOwner ELSEWHERE =
      new LockOwner("t", "node-7", 4711, "2026-01-01T00:00:00Z", "another kernel");

  private static SparkSession spark;

  @TempDir Path directory;
  private final List<String> told = new ArrayList<>();

  @BeforeAll
  static void start() {
    spark =
        SparkSession.builder()
            .master("local[2, 2]") // as the tests of other packages, which may find it running
            .config("spark.ui.enabled", false)
            .getOrCreate();
  }

  private Staging staging() throws IOException {
    var target = new org.apache.hadoop.fs.Path(directory.resolve("made").toString());
    return new Staging(spark.sparkContext(), target, "seal", told::add);
  }

  private Path left(LockOwner owner, Duration silence) throws IOException {
    var left = Files.createDirectories(directory.resolve(".made.unfinished-1/made"));
    var sign = left.resolveSibling("owner.json");
    Files.writeString(sign, new ObjectMapper().writeValueAsString(owner));
    Files.setLastModifiedTime(sign, FileTime.from(Instant.now().minus(silence)));
    return left.getParent();
  }

  @Test
  void whatIsPublishedReplacesWhatWasThereAndNothingElseStays() throws IOException {
    Files.createDirectories(directory.resolve("made/old"));
    try (var staging = staging()) {
      var made = Path.of(staging.directory("key").toUri().getPath());
      Files.createDirectories(made.resolve("new"));
      assertThat(directory.resolve("made/old")).exists();
      staging.publish();
    }
    assertThat(directory.resolve("made/new")).exists();
    assertThat(directory.resolve("made/old")).doesNotExist();
    try (var all = Files.list(directory)) {
      assertThat(all).hasSize(1);
    }
  }

  @Test
  void theWorkOfAProcessThatIsGoneIsTheNextOnes() throws IOException {
    var left = left(GONE, Duration.ZERO);
    Files.createDirectories(left.resolve("work/part"));

    try (var staging = staging()) {
      staging.directory("key");
      assertThat(Path.of(staging.work().toUri().getPath()).resolve("part")).exists();
      assertThat(left).doesNotExist();
    }

    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void whatAProcessLeftThatIsGoneIsRemoved() throws IOException {
    var left = left(GONE, Duration.ZERO);
    staging().close();
    assertThat(left).doesNotExist();
    assertThat(told)
        .containsExactly(
            "removed .made.unfinished-1, left unfinished by %s, which is no longer running"
                .formatted(GONE));
    left = left(ELSEWHERE, Duration.ofMinutes(2));
    staging().close();
    assertThat(left).doesNotExist();
  }

  @Test
  void whatAProcessIsFillingStays() throws IOException {
    for (var owner : List.of(SELF, ELSEWHERE)) {
      var left = left(owner, Duration.ZERO);
      staging().close();
      assertThat(left).exists();
    }
    assertThat(told).isEmpty();
  }

  @Test
  void aTargetThatWasAboutToBeReplacedIsPutBack() throws IOException {
    var left = left(GONE, Duration.ZERO);
    Files.createDirectories(left.resolve("replaced/old"));
    staging().close();
    assertThat(directory.resolve("made/old")).exists();
    assertThat(told).hasSize(2);
    assertThat(told.get(0)).startsWith("restored file:");
  }
}
