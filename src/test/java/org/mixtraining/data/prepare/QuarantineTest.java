package org.mixtraining.data.prepare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.ImageBytes;
import org.mixtraining.data.Note;
import org.mixtraining.data.RawFiles;
import org.mixtraining.data.Split;
import org.mixtraining.data.prepare.Prepare.Existing;

/** A folder of photographs, some of which are none, from the first byte to the shards. */
class QuarantineTest {
  private static SparkSession spark;

  @TempDir Path directory;

  @BeforeAll
  static void start() {
    spark = RawFiles.spark();
  }

  /** 20 cats and 20 dogs, of which cat 3 is empty and dog 7 is cut off. */
  private void photographs() throws IOException {
    for (int i = 0; i < 20; i++) {
      byte[] dog = ImageBytes.jpeg(30, 40, 100 + i);
      RawFiles.write(
          directory,
          String.format(Locale.ROOT, "cat/%02d.png", i),
          i == 3 ? new byte[0] : ImageBytes.png(16, 16, i));
      RawFiles.write(
          directory,
          String.format(Locale.ROOT, "dog/%02d.jpg", i),
          i == 7 ? Arrays.copyOf(dog, dog.length - 20) : dog);
    }
  }

  private DataConfig keys(String... overrides) {
    var all = new ArrayList<>(List.of("data.image-size=16", "data.max-bad-fraction=0.05"));
    all.addAll(List.of(overrides));
    return RawFiles.configured("folder", directory, all.toArray(String[]::new));
  }

  @Test
  void unusableImagesAreLeftOutCountedAndListed() throws IOException {
    photographs();
    var lines = Collections.synchronizedList(new ArrayList<String>());
    var data = keys("data.validation=0.25");
    var manifest = Prepare.run(spark, data, Existing.REFUSE, lines::add);

    assertThat(manifest.quarantined()).isEqualTo(2);
    assertThat(manifest.classes()).containsExactly("cat", "dog");
    assertThat(manifest.height()).isEqualTo(16);
    assertThat(manifest.width()).isEqualTo(16);
    assertThat(manifest.channels()).isEqualTo(3);
    assertThat(manifest.normalization().mean()).hasSize(3);
    // of 19 of a class, round(3.8) to test; of the 15 left, round(3.75) to validation
    assertThat(manifest.splits().get(Split.TEST).histogram()).containsExactly(4L, 4L);
    assertThat(manifest.splits().get(Split.VALIDATION).histogram()).containsExactly(4L, 4L);
    assertThat(manifest.splits().get(Split.TRAIN).histogram()).containsExactly(11L, 11L);
    assertThat(manifest.describe()).contains("\nquarantined 2 images, listed in quarantine/\n");
    assertThat(DatasetManifest.read(new Configuration(), data.path())).isEqualTo(manifest);
    assertThat(lines).endsWith("decoded 40 of 40 images");

    var quarantine = spark.read().parquet(data.path() + "/quarantine").orderBy("id");
    assertThat(quarantine.columns()).containsExactly("id", "split", "label", "source", "reason");
    assertThat(quarantine.collectAsList())
        .extracting(Object::toString)
        .containsExactly(
            "[3,train,0,cat/03.png,empty: 0 bytes]",
            "[27,train,1,dog/07.jpg,damaged: Truncated File - Missing EOI marker]");
    var images = spark.read().parquet(data.path() + "/images");
    assertThat(images.where("id in (3, 27)").count()).isZero();
    assertThat(images.where("length(pixels) = 3 * 16 * 16").count()).isEqualTo(38);
    assertThat(images.where("id = 4").select("source").first().getString(0))
        .isEqualTo("cat/04.png");
    try (var left = Files.list(Path.of(data.path()))) {
      assertThat(left.map(file -> file.getFileName().toString()).filter(n -> !n.startsWith(".")))
          .containsExactlyInAnyOrder("images", "quarantine", "dataset.json");
    }
  }

  @Test
  void tooManyUnusableImagesStopTheJobAndLeaveNothing() throws IOException {
    photographs();
    var data = keys("data.max-bad-fraction=0.04");
    var problem =
        catchThrowableOfType(
            UserException.class, () -> Prepare.run(spark, data, Existing.REFUSE, line -> {}));
    assertThat(problem.problems())
        .containsExactly(
            "mixtraining.data.max-bad-fraction = 0.04: of 40 images, 2 (5.00 %) cannot be used; nothing was written: repair, convert or remove them, or raise the share",
            "mixtraining.data.source: cat/03.png: empty: 0 bytes",
            "mixtraining.data.source: dog/07.jpg: damaged: Truncated File - Missing EOI marker");
    try (var left = Files.list(directory)) {
      assertThat(left.map(file -> file.getFileName().toString())).containsExactly("raw");
    }
  }

  @Test
  void aSourceWithoutAnyUsableImageIsRefusedWhateverMayBeBad() throws IOException {
    for (int i = 0; i < 7; i++) {
      RawFiles.write(directory, "cat/" + i + "\n.png");
    }
    var data = keys("data.max-bad-fraction=1");
    assertThatThrownBy(() -> Prepare.run(spark, data, Existing.REFUSE, line -> {}))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("of 7 images, 7 (100.00 %) cannot be used")
        .hasMessageContaining("mixtraining.data.source: cat/4?.png: empty: 0 bytes")
        .hasMessageEndingWith("mixtraining.data.source: and 2 more");
  }

  @Test
  void theOnlyImageOfAClassIsTrainedOn() throws IOException {
    photographs();
    RawFiles.write(directory, "emu/1.png", ImageBytes.png(16, 16, 1));
    var data = keys("data.test=0.6", "data.validation=0.3", "data.max-bad-fraction=0.5");

    var manifest = Prepare.run(spark, data, Existing.REFUSE, line -> {});

    int emu = manifest.classes().indexOf("emu");
    assertThat(manifest.splits().get(Split.TRAIN).histogram().get(emu)).isEqualTo(1);
    assertThat(manifest.splits().get(Split.TRAIN).histogram()).doesNotContain(0L);
    assertThat(manifest.notes())
        .contains(
            new Note("classes too small for test images", 1, List.of("emu")),
            new Note("classes too small for validation images", 1, List.of("emu")));
  }

  @Test
  void theShardsAreTheSameBytesHoweverTheWorkIsCut() throws IOException {
    photographs();
    assertThat(shards(5, "five")).hasSize(4).isEqualTo(shards(1, "one"));
  }

  private Map<String, String> shards(int partitions, String name) throws IOException {
    var session = spark.newSession();
    session.conf().set("spark.sql.shuffle.partitions", partitions);
    var data = keys("data.path=" + directory.resolve(name));
    Prepare.run(session, data, Existing.REFUSE, line -> {});
    var bytes = new TreeMap<String, String>();
    try (var files = Files.walk(Path.of(data.path(), "images"))) {
      for (var file : files.filter(f -> f.toString().endsWith(".parquet")).toList()) {
        var shard = Path.of(data.path()).relativize(file.getParent()).toString();
        bytes.put(shard, HexFormat.of().formatHex(sha256(Files.readAllBytes(file))));
      }
    }
    return bytes;
  }

  private static byte[] sha256(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void aSourcesOwnValidationAndTestImagesStayThere() throws IOException {
    for (int i = 0; i < 4; i++) {
      for (var split : List.of("train", "val", "test")) {
        RawFiles.write(
            directory,
            String.format(Locale.ROOT, "%s/%s/%d.png", split, i % 2 == 0 ? "a" : "b", i),
            ImageBytes.png(4, 4, i));
      }
    }
    var manifest = Prepare.run(spark, keys("data.validation=0.1"), Existing.REFUSE, line -> {});
    for (var split : Split.values()) {
      assertThat(manifest.splits().get(split).histogram()).as("%s", split).containsExactly(2L, 2L);
    }
  }
}
