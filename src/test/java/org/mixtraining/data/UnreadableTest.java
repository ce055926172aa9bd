package org.mixtraining.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.checkpoint.ModelFile;
import org.mixtraining.config.UserException;
import org.mixtraining.data.images.RawImage;
import org.mixtraining.data.prepare.Decoding;
import org.mixtraining.data.sources.Piece;
import org.mixtraining.data.sources.Source;
import org.mixtraining.spark.PackagedJob;

/**
 * Files and directories that the user may not read. Root may read all, so that it happens in a
 * process of a user who is not root.
 */
@Tag("cluster")
class UnreadableTest {
  @TempDir static Path directory;
  private static final Map<String, String> SAID = new TreeMap<>();

  @BeforeAll
  static void readAsSomebodyElse() throws Exception {
    PackagedJob.assumeBuilt();
    List<String> words = new ArrayList<>();
    if (System.getProperty("user.name").equals("root")) {
      assumeTrue(Files.exists(Path.of("/usr/bin/setpriv")), "root needs setpriv to be nobody");
      words.addAll(List.of("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"));
    }
    for (String name :
        List.of("closed/cat/1.png", "class/cat/1.png", "class/dog/1.png", "file/cat/1.png")) {
      RawFiles.write(directory, name, ImageBytes.png(8, 8, 1));
    }
    for (String name :
        List.of(
            "model.zip",
            "cifar/data_batch_1.bin",
            "cifar/test_batch.bin",
            "tables/train.parquet")) {
      RawFiles.write(directory, name, new byte[3073]);
    }
    RawFiles.write(
        directory,
        "set/dataset.json",
        ManifestTextTest.WHOLE.json().getBytes(StandardCharsets.UTF_8));
    for (int shard : new int[] {0, 1}) {
      RawFiles.write(
          directory, "set/images/split=train/shard=" + shard + "/a.parquet", new byte[9]);
    }
    Path raw = directory.resolve("raw");
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    for (String name :
        List.of(
            "closed",
            "class/dog",
            "file/cat/1.png",
            "model.zip",
            "cifar/data_batch_1.bin",
            "tables/train.parquet",
            "set/dataset.json",
            "set/images/split=train/shard=0",
            "set/images/split=train/shard=1/a.parquet")) {
      Files.setPosixFilePermissions(raw.resolve(name), Set.of());
    }
    words.add("java");
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(option -> option.startsWith("--add-opens")) // for Spark
        .forEach(words::add);
    words.addAll(
        List.of(
            "-cp",
            "target/test-classes:target/mixtraining.jar:target/spark/jars/*",
            UnreadableTest.class.getName(),
            raw.toString()));
    Process process =
        new ProcessBuilder(words).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    try (var lines = process.inputReader(StandardCharsets.UTF_8)) {
      lines.lines().map(line -> line.split("\t", 2)).forEach(line -> SAID.put(line[0], line[1]));
    }
    assertThat(process.waitFor()).isZero();
    for (String name : List.of("closed", "class/dog", "set/images/split=train/shard=0")) {
      Files.setPosixFilePermissions( // so that it can be deleted
          raw.resolve(name), PosixFilePermissions.fromString("rwxr-xr-x"));
    }
  }

  /** What happens in the other process: a line for each thing that is read, and what is said. */
  public static void main(String[] raw) {
    Path root = Path.of(raw[0]);
    for (String source : List.of("closed", "closed/cat", "class", "file")) {
      tell(source, () -> unusable("folder", root.resolve(source)));
    }
    tell("cifar", () -> unusable("cifar10", root.resolve("cifar")));
    tell("tables", () -> unusable("parquet", root.resolve("tables")));
    Configuration hadoop = new Configuration();
    tell("set", () -> DatasetManifest.read(hadoop, root.resolve("set").toString()));
    tell("closed set", () -> DatasetManifest.read(hadoop, root.resolve("closed/set").toString()));
    tell("model", () -> ModelFile.open(hadoop, "--model", root.resolve("model.zip").toString()));
    for (int shard : new int[] {0, 1}) {
      tell("shard " + shard, () -> shard(root.resolve("set"), shard));
    }
  }

  private static ImageSet shard(Path set, int shard) {
    return new Shards(new Configuration(), set.toString(), ManifestTextTest.WHOLE, Split.TRAIN)
        .read(new int[] {shard}, 1.0);
  }

  private static Object unusable(String format, Path source) throws IOException {
    var data = RawFiles.configured(format, source.getParent(), "data.source=" + source);
    var images = new ArrayList<RawImage>();
    for (Piece piece : Source.open(data, RawFiles.spark()).pieces()) {
      try (var read = Decoding.opened(piece, new Configuration())) {
        images.addAll(read.toList());
      }
    }
    return RawFiles.reasons(images);
  }

  private static void tell(String what, Callable<Object> reading) {
    String said;
    try {
      said = String.valueOf(reading.call());
    } catch (UserException e) {
      said = e.getMessage();
    } catch (Exception e) {
      said = e.toString();
    }
    System.out.println(what + "\t" + said.replace("\n", "\\n"));
  }

  private static void assertSaid(String what, String message) {
    assertThat(SAID.get(what)).isEqualTo(message.replace("RAW", directory + "/raw"));
  }

  @Test
  void aSourceIsNamedAndNothingOfItIsPassedOver() {
    assertSaid(
        "closed",
        "mixtraining.data.source = RAW/closed: cannot be read as folder: RAW/closed: Permission denied");
    assertSaid(
        "closed/cat",
        "mixtraining.data.source: permission denied: this user may not enter RAW/closed");
    assertSaid(
        "class",
        "mixtraining.data.source = RAW/class: cannot be read as folder: RAW/class/dog: Permission denied");
    assertSaid("file", "{cat/1.png=cannot be read: permission denied}");
    assertSaid(
        "cifar",
        "mixtraining.data.source: cannot be read: RAW/cifar/data_batch_1.bin (Permission denied)");
    assertThat(SAID.get("tables")).endsWith("/train.parquet (Permission denied)");
  }

  @Test
  void aDatasetThatIsThereIsNotCalledMissing() {
    assertSaid(
        "set",
        "mixtraining.data.path: permission denied: this user may not read RAW/set/dataset.json");
    assertSaid(
        "closed set",
        "mixtraining.data.path: permission denied: this user may not enter RAW/closed");
    assertThat(SAID.get("shard 0"))
        .startsWith("mixtraining.data.path: cannot be read: ")
        .endsWith("shard=0: Permission denied");
    assertThat(SAID.get("shard 1"))
        .startsWith("mixtraining.data.path: cannot be read: ")
        .endsWith("shard=1/a.parquet (Permission denied)");
  }

  @Test
  void aModelThatIsThereIsNotCalledMissing() {
    assertSaid(
        "model", "--model RAW/model.zip: permission denied: this user may not read RAW/model.zip");
  }
}
