package org.mixtraining.data.prepare;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.DataConfig;
import org.mixtraining.data.ImageBytes;
import org.mixtraining.data.RawFiles;
import org.mixtraining.data.sources.Source;

/** Six classes of 100 files: three pieces of up to 256 files. */
class DecodingTest {
  private static final int IMAGES = 600;
  private static SparkSession spark;

  @TempDir Path directory;
  private final List<String> told = new ArrayList<>();

  @BeforeAll
  static void start() {
    spark = RawFiles.spark();
  }

  private DataConfig folder() throws IOException {
    for (int i = 0; i < IMAGES; i++) {
      Path place = Files.createDirectories(directory.resolve("raw/c" + i / 100));
      Files.write(place.resolve(i + ".png"), ImageBytes.png(8, 8, i));
    }
    return RawFiles.configured("folder", directory, "data.image-size=8");
  }

  private Dataset<Row> decode(DataConfig data, int most) throws IOException {
    told.clear();
    var to = new org.apache.hadoop.fs.Path(directory.resolve("work").toString());
    return Decoding.run(spark, Source.open(data, spark), data, to, told::add, most);
  }

  /** Every file of the tables with the time of its last change. */
  private Map<String, Long> files() throws IOException {
    Map<String, Long> files = new TreeMap<>();
    try (Stream<Path> all = Files.walk(directory.resolve("work"))) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        files.put(file.toString(), Files.getLastModifiedTime(file).toMillis());
      }
    }
    return files;
  }

  private static List<String> rows(Dataset<Row> decoded) {
    return decoded
        .selectExpr("id", "source", "label", "digest")
        .orderBy("id")
        .collectAsList()
        .stream()
        .map(Row::toString)
        .toList();
  }

  @Test
  void whatIsDecodedAlreadyIsNotDecodedAgain() throws IOException {
    DataConfig data = folder();
    List<String> expected = rows(decode(data, 1));
    Map<String, Long> before = files();
    Path[] parts;
    try (Stream<Path> all = Files.walk(directory.resolve("work"), 2)) {
      parts = all.filter(p -> p.toString().contains("pieces-")).sorted().toArray(Path[]::new);
    }
    Files.delete(parts[0].resolve("_SUCCESS")); // as of a job that was killed

    List<String> again = rows(decode(data, 1));

    assertThat(parts).hasSizeGreaterThan(1);
    assertThat(again).hasSize(IMAGES).isEqualTo(expected);
    assertThat(told.get(0)).startsWith("continues an interrupted prepare: ");
    before.keySet().removeIf(file -> file.startsWith(parts[0].toString()));
    assertThat(before).isNotEmpty();
    assertThat(files()).containsAllEntriesOf(before);
  }

  @Test
  void whatAnotherSourceBecameIsRemoved() throws IOException {
    DataConfig data = folder();
    decode(data, 1);
    Map<String, Long> before = files();
    Files.write(directory.resolve("raw/c0/0.png"), ImageBytes.png(30, 30, 7));

    Dataset<Row> decoded = decode(data, 1);

    assertThat(decoded.count()).isEqualTo(IMAGES);
    assertThat(told).noneMatch(line -> line.startsWith("goes on"));
    assertThat(files().keySet()).doesNotContainAnyElementsOf(before.keySet());
  }
}
