package org.mixtraining.files;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A dataset that is published in an S3 store which vanishes in between. */
@Tag("object-store")
class S3StagingTest {
  private static final Path TARGET = new Path("s3a://bucket/data/shapes");
  private static final Set<String> WHOLE =
      Stream.concat(
              IntStream.range(0, 30).mapToObj(image -> "images/" + (10 + image)),
              Stream.of("dataset.json", "quarantine/0"))
          .collect(Collectors.toCollection(TreeSet::new));

  /** Calls, of which the publication begins before the first and ends before the last. */
  private static final int FIRST = 160;

  private static final int LAST = 320;
  private static final int STEP = 10;

  private static SparkSession spark;

  @TempDir java.nio.file.Path directory;

  @BeforeAll
  static void start() {
    spark =
        SparkSession.builder()
            .master("local[2, 2]")
            .config("spark.ui.enabled", false)
            .getOrCreate();
  }

  /** The driver's and the store's, until the store is gone. */
  private FileSystem use(S3Server server) throws IOException {
    Configuration conf = spark.sparkContext().hadoopConfiguration();
    server.configuration().forEach(entry -> conf.set(entry.getKey(), entry.getValue()));
    conf.setBoolean("fs.s3a.impl.disable.cache", true);
    conf.setInt("fs.s3a.attempts.maximum", 1);
    conf.setInt("fs.s3a.retry.limit", 0);
    conf.set("fs.s3a.connection.timeout", "2000");
    return TARGET.getFileSystem(conf);
  }

  private static void publish(FileSystem files, String content) throws IOException {
    try (Staging staging = new Staging(spark.sparkContext(), TARGET, "dataset.json", line -> {})) {
      Path made = staging.directory("data.path");
      for (String name : WHOLE) {
        try (var out = files.create(new Path(made, name))) {
          out.writeBytes(content);
        }
      }
      staging.publish();
    }
  }

  /** The files at the target with one content. */
  private static Set<String> published(FileSystem files, String content) throws IOException {
    Set<String> names = new TreeSet<>();
    if (!files.exists(new Path(TARGET, "dataset.json"))) {
      return names;
    }
    var found = files.listFiles(TARGET, true);
    while (found.hasNext()) {
      Path file = found.next().getPath();
      try (var in = files.open(file)) {
        if (new String(in.readAllBytes(), StandardCharsets.UTF_8).equals(content)) {
          names.add(file.toString().substring(TARGET.toString().length() + 1));
        }
      }
    }
    return names;
  }

  @Test
  void whereverTheStoreVanishesThereIsAWholeDatasetOrNone() throws Exception {
    int whole = 0;
    int none = 0;
    for (int dying = FIRST; dying < LAST; dying += STEP) {
      try (S3Server server = new S3Server(directory, Duration.ZERO, 1000, dying)) {
        publish(use(server), "try " + dying);
      } catch (IOException e) {
        // It has vanished.
      }
      try (S3Server server = new S3Server(directory, Duration.ZERO, 1000)) {
        FileSystem files = use(server);
        Set<String> found = published(files, "try " + dying);
        if (found.isEmpty()) {
          none++;
        } else {
          assertThat(found).isEqualTo(WHOLE);
          whole++;
        }
        publish(files, "again");
        assertThat(published(files, "again")).isEqualTo(WHOLE);
      }
    }
    assertThat(whole).isPositive();
    assertThat(none).isPositive();
  }
}
