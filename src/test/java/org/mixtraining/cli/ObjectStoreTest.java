package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.files.BucketFileSystem;

/** Every path that is configured, on a file system that is not the local one. */
@Tag("cluster") // whole commands, with a Spark session each
class ObjectStoreTest {
  private static final String BUCKET = "bucket://images/";

  /** Of a scheme by which the job knows an object store. */
  private static final String STORE = "s3://images/";

  @TempDir static Path root;
  private static final Map<String, String> PROPERTIES = new TreeMap<>();

  @BeforeAll
  static void useTheBucket() throws IOException {
    PROPERTIES.put("spark.master", "local[2]");
    PROPERTIES.put("spark.ui.enabled", "false");
    for (String scheme : List.of("bucket", "s3")) {
      BucketFileSystem.settings(scheme, root)
          .forEach((key, value) -> PROPERTIES.put("spark.hadoop." + key, value));
    }
    PROPERTIES.forEach(System::setProperty);
    Random random = new Random(1);
    for (String name : List.of("dark", "light")) {
      Path images = Files.createDirectories(root.resolve("raw").resolve(name));
      for (int i = 0; i < 30; i++) {
        BufferedImage image = new BufferedImage(16, 16, BufferedImage.TYPE_INT_RGB);
        for (int p = 0; p < 256; p++) {
          int value = random.nextInt(128) + (name.equals("light") ? 128 : 0);
          image.setRGB(p % 16, p / 16, value << 16 | value << 8 | value);
        }
        ImageIO.write(image, "png", images.resolve(i + ".png").toFile());
      }
    }
  }

  @AfterAll
  static void restore() {
    PROPERTIES.keySet().forEach(System::clearProperty);
  }

  private static Printed run(String command, String... settings) {
    return runIn(BUCKET, command, settings);
  }

  private static Printed runIn(String place, String command, String... settings) {
    List<String> words = new ArrayList<>(List.of(command, "--quiet"));
    for (String setting :
        List.of(
            "run.output=" + place + "runs",
            "data.format=folder",
            "data.source=" + URI.create(place).resolve("/raw"),
            "data.path=" + place + "shards",
            "data.image-size=16",
            "data.shards=2",
            "model.preset=vit-nano",
            "model.patch=8",
            "model.decoder.depth=1",
            "epochs={ssl = 1, sl = 1}",
            "mix.ratio=0",
            "optimizer.batch-size=16")) {
      words.addAll(List.of("-D", setting));
    }
    words.addAll(List.of(settings));
    return Printed.by(words.toArray(String[]::new));
  }

  @Test
  void aRunFromRawImagesToSqlTouchesNothingElse() throws IOException {
    assertThat(run("prepare").exitCode()).isZero();
    assertThat(run("prepare", "-D", "data.path=" + BUCKET + "others").exitCode()).isZero();
    assertThat(root.resolve("shards/dataset.json")).exists();
    assertThat(run("train", "--dry-run").out())
        .containsPattern("heap per executor +1024 MB  Spark, and 4 copies of the state per worker");

    assertThat(run("train", "-D", "run.id=far", "-D", "data.ssl=" + BUCKET + "others").exitCode())
        .isZero();
    assertThat(run("train", "-D", "run.id=far", "-D", "data.ssl=" + BUCKET + "others").out())
        .contains("run far finished");
    assertThat(
            run(
                    "train",
                    "-D",
                    "run.id=tasks",
                    "-D",
                    "data.tasks=[{name = a, path = \"%1$sshards\"}, {name = b, path = \"%1$sothers\"}]"
                        .formatted(BUCKET))
                .exitCode())
        .isZero();
    assertThat(root.resolve("runs/checkpoints/far/final.safetensors")).exists();
    assertThat(root.resolve("runs/tables/epochs/run_id=far/epochs-00001.parquet")).exists();

    Printed answer =
        run("sql", "--csv", "-e", "select run_id, status, epochs_done from runs order by run_id");
    assertThat(answer.out()).contains("far,finished,2", "tasks,finished,2");
    try (var here = Files.list(Path.of(""))) {
      assertThat(here.map(Path::toString)).doesNotContain("bucket:");
    }
  }

  /** Its files are put as a whole, and what is staged is published file by file. */
  @Test
  void aRunInAStoreGoesOnAfterTheEpochsItHas() throws IOException {
    String store = STORE + "store/";
    Printed made = runIn(store, "prepare");
    assertThat(made.exitCode()).as(made.err()).isZero();
    Map<String, String> prepared = files("store/shards");
    Printed kept = runIn(store, "prepare", "--keep");
    assertThat(kept.exitCode()).isZero();
    assertThat(kept.out()).isEqualTo(made.out());
    assertThat(files("store/shards")).isEqualTo(prepared);

    BucketFileSystem.denied = "epoch-00002";
    Printed failed = runIn(store, "train", "-D", "run.id=far");
    BucketFileSystem.denied = "/denied";
    assertThat(failed.exitCode()).isNotZero();
    assertThat(failed.err()).contains("403 Forbidden");
    Map<String, String> reached = files("store/runs/checkpoints/far");
    assertThat(reached)
        .containsKey("epoch-00001.safetensors")
        .doesNotContainKey("epoch-00002.safetensors");
    Printed resumed = runIn(store, "train", "-D", "run.id=far");
    assertThat(resumed.exitCode()).as(resumed.err()).isZero();
    assertThat(resumed.err())
        .as("told by --quiet too")
        .contains("run far resumes after epoch 1 of 2")
        .doesNotContain("epoch 2/2");
    assertThat(files("store/runs/checkpoints/far"))
        .as("it was not trained again")
        .containsEntry("epoch-00001.safetensors", reached.get("epoch-00001.safetensors"));

    assertThat(
            runIn(store, "sql", "--csv", "-e", "select run_id, status, epochs_done from runs")
                .out())
        .contains("far,finished,2");
    assertThat(files("store/runs/tensorboard/far")).as("one of each start").hasSize(2);
    assertThat(files("store").keySet())
        .contains("runs/checkpoints/far/final.safetensors")
        .noneMatch(name -> name.contains("/.") || name.endsWith("LOCK"));
  }

  /** Names below a directory of the root, with what would tell of a change. */
  private static Map<String, String> files(String directory) throws IOException {
    Map<String, String> files = new TreeMap<>();
    Path top = root.resolve(directory);
    try (var all = Files.walk(top)) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        files.put(
            top.relativize(file).toString(),
            Files.size(file) + " " + Files.getLastModifiedTime(file));
      }
    }
    return files;
  }

  @Test
  void anOutputThatMayNotBeWrittenIsBadInput() {
    assertThat(run("prepare", "-D", "data.path=" + BUCKET + "mine").exitCode()).isZero();

    Printed refused =
        run("train", "-D", "data.path=" + BUCKET + "mine", "-D", "run.output=" + BUCKET + "denied");

    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.err().lines().reduce((first, last) -> last).orElseThrow())
        .startsWith("failed: ")
        .contains("AccessDeniedException", BUCKET + "denied", "403 Forbidden");
  }

  @Test
  void aSchemeThatHadoopDoesNotKnowIsNamed() {
    assertThat(run("train", "-D", "data.path=nowhere://images/shards").exitCode()).isIn(1, 2);
  }
}
