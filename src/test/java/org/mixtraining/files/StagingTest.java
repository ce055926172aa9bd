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
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.commons.io.FileUtils;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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

  @BeforeEach
  void useTheStore() {
    BucketFileSystem.settings("s3", directory, SickBucket.class)
        .forEach(spark.sparkContext().hadoopConfiguration()::set);
  }

  @AfterEach
  void forgetTheStore() {
    BucketFileSystem.settings("s3", directory)
        .keySet()
        .forEach(spark.sparkContext().hadoopConfiguration()::unset);
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

  // --- in an object store ------------------------------------------------------------------------

  private static final SortedMap<String, String> OLD =
      new TreeMap<>(Map.of("a/1", "old", "a/3", "old", "gone", "old", "seal", "old"));
  private static final SortedMap<String, String> NEW =
      new TreeMap<>(Map.of("a/1", "new", "a/2", "new", "seal", "new", "z", "new"));

  private Staging inTheStore() throws IOException {
    return new Staging(
        spark.sparkContext(), new org.apache.hadoop.fs.Path("s3://bucket/made"), "seal", told::add);
  }

  private static void write(Path made, Map<String, String> files) throws IOException {
    for (var file : files.entrySet()) {
      Files.createDirectories(made.resolve(file.getKey()).getParent());
      Files.writeString(made.resolve(file.getKey()), file.getValue());
    }
  }

  /** The files of a directory, which may not be there. */
  private static SortedMap<String, String> read(Path made) throws IOException {
    SortedMap<String, String> files = new TreeMap<>();
    if (Files.exists(made)) {
      try (var all = Files.walk(made)) {
        for (var file : all.filter(Files::isRegularFile).toList()) {
          files.put(made.relativize(file).toString(), Files.readString(file));
        }
      }
    }
    return files;
  }

  private void publish(Staging staging, int sickAt) throws IOException {
    SickBucket.left = 0; // well so far
    var made = staging.directory("key").toUri().getPath();
    write(directory.resolve(made.substring(1)), NEW);
    SickBucket.left = sickAt;
    staging.publish();
  }

  /** What a reader finds is whole, or not sealed. */
  private void assertWholeOrNotSealed(String when) throws IOException {
    var found = read(directory.resolve("made"));
    if (found.containsKey("seal")) {
      assertThat(found).as(when).isIn(OLD, NEW);
    }
  }

  private void assertTheNextPublishesAll(String when) throws IOException {
    try (var next = inTheStore()) {
      publish(next, 0);
    }
    assertThat(read(directory)).as(when).isEqualTo(under("made/", NEW));
  }

  private static SortedMap<String, String> under(String parent, Map<String, String> files) {
    SortedMap<String, String> all = new TreeMap<>();
    files.forEach((name, content) -> all.put(parent + name, content));
    return all;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void wherePublishingInAStoreFailsThereIsAWholeDatasetOrNoneAndTheNextIsWhole(boolean replaces)
      throws IOException {
    SickBucket.kills = false;
    boolean failed = true;
    int operation;
    for (operation = 1; failed; operation++) {
      empty(replaces);
      var when = "failed at operation " + operation;
      try (var staging = inTheStore()) {
        publish(staging, operation);
        SickBucket.left = 0;
        failed = false;
      } catch (IOException e) {
        assertThat(e).as(when).hasMessage("503 Slow Down");
      }
      var left = read(directory);
      assertThat(left).as(when).isIn(under("made/", OLD), under("made/", NEW), Map.of());
      assertThat(failed || left.equals(under("made/", NEW))).as(when).isTrue();
      assertTheNextPublishesAll(when);
    }
    assertThat(operation).isGreaterThan(replaces ? 17 : 11);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whereItsProcessIsKilledToo(boolean replaces) throws IOException {
    SickBucket.kills = true;
    boolean killed = true;
    int operation;
    for (operation = 1; killed; operation++) {
      empty(replaces);
      var when = "killed at operation " + operation;
      var staging = inTheStore();
      try {
        publish(staging, operation);
        staging.close();
        killed = false;
      } catch (KillableFileSystem.Killed e) {
        SickBucket.left = 0;
        assertWholeOrNotSealed(when);
        var owner =
            Path.of(staging.work().toUri().getPath().substring(1)).resolveSibling("owner.json");
        Files.writeString(directory.resolve(owner), new ObjectMapper().writeValueAsString(GONE));
      }
      assertTheNextPublishesAll(when);
    }
    assertThat(operation).isGreaterThan(replaces ? 18 : 12);
  }

  private void empty(boolean replaces) throws IOException {
    FileUtils.cleanDirectory(directory.toFile());
    if (replaces) {
      write(directory.resolve("made"), OLD);
    }
  }
}
