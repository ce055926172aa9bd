package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.api.MixTrainingModel;
import org.mixtraining.config.Location;
import org.mixtraining.files.LockOwner;
import org.mixtraining.results.RunRow;
import org.mixtraining.results.RunRow.Status;
import org.mixtraining.results.Tables;

/** The commands train --init, export and predict, from their arguments to what they leave. */
@Tag("cluster") // whole commands, with a Spark session each
class ModelCommandsTest {
  @TempDir static Path temporary;
  private static Path directory;
  private static Path conf;
  private static Printed tuned;

  @BeforeAll
  static void train() throws IOException {
    System.setProperty("spark.master", "local[2]");
    System.setProperty("spark.ui.enabled", "false");
    directory = Files.createDirectory(temporary.resolve("Bücher [2023] {a,b}*?#%20+ 写真 x:y"));
    conf = directory.resolve("small.conf");
    Files.writeString(
        conf,
        """
        mixtraining {
          run.output = "%1$s/runs"
          data { path = "%1$s/drawn", synthetic { train = 80, test = 20 }, shards = 2 }
          model { preset = vit-nano, patch = 8, decoder.depth = 1 }
          optimizer.batch-size = 32
          workers.count = 1
        }
        """
            .formatted(directory));
    assertThat(run("prepare").exitCode()).isZero();
    Printed first = run(training("first", "pipeline=ssl-sl", "epochs={ssl = 1, sl = 0}"));
    assertThat(first.exitCode()).as(first.err()).isZero();
    tuned = run(begun("tuned"));
    assertThat(tuned.exitCode()).as(tuned.err()).isZero();
  }

  @AfterAll
  static void restore() {
    System.clearProperty("spark.master");
    System.clearProperty("spark.ui.enabled");
  }

  private static String model(String run) {
    return directory + "/runs/checkpoints/" + run + "/final.safetensors";
  }

  private static String[] training(String id, String... keys) {
    List<String> all = new ArrayList<>(List.of("train", "-D", "run.id=" + id));
    for (String key : keys) {
      all.addAll(List.of("-D", key));
    }
    return all.toArray(String[]::new);
  }

  /** Two supervised epochs from the model of {@code first}. */
  private static String[] begun(String id, String... keys) {
    List<String> all =
        new ArrayList<>(List.of(training(id, "pipeline=sl", "epochs={ssl = 0, sl = 2}")));
    all.addAll(List.of("--init", model("first")));
    for (String key : keys) {
      all.addAll(List.of("-D", key));
    }
    return all.toArray(String[]::new);
  }

  private static Printed run(String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.addAll(List.of("--conf", conf.toString()));
    return Printed.by(all.toArray(String[]::new));
  }

  private static Tables tables() {
    return new Tables(new Configuration(), directory + "/runs");
  }

  private static RunRow row(String id) {
    return tables().run(id).orElseThrow();
  }

  // --- prepare, evaluate -----------------------------------------------------------------------

  @Test
  void tooManyImagesThatAreNoneEndPreparingWithExitCode2AndNothingLeft() throws IOException {
    Path photos = directory.resolve("pets");
    for (String name : List.of("cat", "dog")) {
      for (int i = 0; i < 6; i++) {
        Path file = photos.resolve(name).resolve(i + ".png");
        Files.createDirectories(file.getParent());
        ImageIO.write(new BufferedImage(16, 16, BufferedImage.TYPE_INT_RGB), "png", file.toFile());
      }
    }
    Files.write(photos.resolve("cat/0.png"), new byte[0]);
    Files.write(photos.resolve("cat/Thumbs.db"), new byte[8]);
    String[] prepare = {
      "prepare",
      "-D",
      "data.format=folder",
      "-D",
      "data.source=" + photos,
      "-D",
      "data.path=" + directory.resolve("shards"),
      "-D",
      "data.validation=0",
      "-D",
      "data.max-bad-fraction=0.05"
    };

    Printed refused = run(prepare);

    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.err()).contains("data.max-bad-fraction", "cat/0.png");
    assertThat(directory.resolve("shards")).doesNotExist();

    prepare[prepare.length - 1] = "data.max-bad-fraction=0.1";
    Printed allowed = run(prepare);

    assertThat(allowed.exitCode()).as(allowed.err()).isZero();
    assertThat(allowed.out())
        .contains("quarantined 1 images", "\nnot an image, skipped: 1 (cat/Thumbs.db)\n");
    List<String> again = new ArrayList<>(List.of(prepare));
    again.addAll(List.of("--force", "--json"));
    Printed told = run(again.toArray(String[]::new));
    assertThat(told.json().at("/notes/0/count").asInt()).as(told.err()).isEqualTo(1);
    assertThat(told.json().at("/notes/0/names/0").asText()).isEqualTo("cat/Thumbs.db");

    Path manifest = directory.resolve("shards/dataset.json");
    Files.writeString(manifest, Files.readString(manifest).replace("\"dog\"", "\"hound\""));
    Printed read =
        run(
            "prepare",
            "-D",
            "data.path=" + manifest.getParent(),
            "--preview",
            directory + "/p.png");
    assertThat(read.exitCode()).as("an edited manifest: " + read.err()).isZero();
  }

  @Test
  void theFeaturesOfEachTaskAreJudgedByItsOwnLabels() throws IOException {
    String more = directory + "/more";
    assertThat(run("prepare", "-D", "data.path=" + more, "-D", "data.synthetic.test=30").exitCode())
        .isZero();
    String tasks =
        "data.tasks=[{name = drawn, path = \"%s/drawn\"}, {name = more, path = \"%s\"}]"
            .formatted(directory, more);
    Printed trained = run(training("tasks", tasks, "pipeline=mix", "epochs={ssl = 1, sl = 1}"));
    assertThat(trained.exitCode()).as(trained.err()).isZero();

    Printed judged = run("evaluate", "--run", "tasks", "--knn", "--json");

    assertThat(judged.exitCode()).as(judged.err()).isZero();
    assertThat(judged.json())
        .filteredOn(row -> row.get("split").asText().equals("test"))
        .extracting(row -> row.get("task").asText() + " " + row.get("images").asInt())
        .containsExactly("drawn 20", "more 30");
    assertThat(judged.json())
        .allSatisfy(row -> assertThat(row.get("training_images").asInt()).isGreaterThan(60));
  }

  // --- train --init ----------------------------------------------------------------------------

  @Test
  void aRunThatBeginsFromAModelSaysSoAndIsAnotherThanOneThatBeginsAtRandom() {
    assertThat(tuned.err())
        .contains("run tuned starts from %s (encoder)".formatted(model("first")));
    assertThat(row("tuned").setup().config())
        .contains("\"init\":{\"model\":\"%s\",\"parts\":\"encoder\"}".formatted(model("first")));

    Printed scratch = run(training("scratch", "pipeline=sl", "epochs={ssl = 0, sl = 2}"));

    assertThat(scratch.exitCode()).as(scratch.err()).isZero();
    assertThat(row("scratch").stateSha256()).isNotEqualTo(row("tuned").stateSha256());
  }

  @Test
  void anInterruptedRunGoesOnToTheSameBitsThoughTheModelIsGone() throws IOException {
    Path moved = Files.copy(Path.of(model("first")), directory.resolve("gone.safetensors"));
    String[] whole = training("whole", "pipeline=sl", "epochs={ssl = 0, sl = 2}");
    List<String> from = new ArrayList<>(List.of(whole));
    from.addAll(List.of("--init", moved.toString()));
    Printed first = run(from.toArray(String[]::new));
    assertThat(first.exitCode()).as(first.err()).isZero();
    String bits = row("whole").stateSha256();
    assertThat(bits).isEqualTo(row("tuned").stateSha256());

    RunRow end = row("whole");
    tables()
        .write(
            new RunRow(
                end.runId(),
                Status.INTERRUPTED,
                end.started(),
                end.ended(),
                null,
                end.setup(),
                end.versions(),
                end.progress(),
                null,
                null));
    Path kept = directory.resolve("runs/checkpoints/whole");
    for (String name : List.of("epoch-00002", "best", "final")) {
      Files.deleteIfExists(kept.resolve(name + ".safetensors"));
    }
    Files.delete(moved);
    Printed resumed = run("train", "--resume", "whole");

    assertThat(resumed.exitCode()).as(resumed.err()).isZero();
    assertThat(resumed.err()).contains("run whole resumes after epoch 1 of 2");
    assertThat(row("whole").stateSha256()).isEqualTo(bits);

    Printed other = run(begun("whole"));
    assertThat(other.exitCode()).isEqualTo(2);
    assertThat(other.err()).contains("mixtraining.init.model = \"" + model("first"), "but was \"");
  }

  @Test
  void aModelThatDoesNotFitIsRefusedBeforeAnythingIsWritten() {
    Printed wide = run(begun("wide", "model.preset=vit-micro"));
    assertThat(wide.exitCode()).isEqualTo(2);
    assertThat(wide.err())
        .contains(
            "block encoder does not fit: encoder-0.fc1.bias is 192 there, and 384 in this run");
    assertThat(tables().run("wide")).isEmpty();

    Printed none = run(training("none", "init.model=" + directory + "/none.zip"));
    assertThat(none.exitCode()).isEqualTo(2);
    assertThat(none.err())
        .contains("mixtraining.init.model = %s/none.zip: no such file".formatted(directory));
  }

  // --- export and predict ----------------------------------------------------------------------

  @Test
  void aRunWithoutLabelsHasNothingToExportOrPredictWith() {
    Printed said = run("export", "--run", "first", "--format", "onnx", "-o", directory + "/x");

    assertThat(said.exitCode()).isEqualTo(2);
    assertThat(said.err()).contains("--run first: its head head is untrained");
    assertThat(directory.resolve("x")).doesNotExist();
  }

  @Test
  void anExportedZipPredictsAsTheRunDoesAndARunCanBeginFromIt() throws IOException {
    String zip = directory + "/tuned.zip";
    Printed said = run("export", "--run", "tuned", "--format", "dl4j", "-o", zip);
    assertThat(said.exitCode()).as(said.err()).isZero();
    assertThat(said.out()).contains("task main: images 3 x 32 x 32, 10 classes");
    Printed onnx =
        run("export", "--model", zip, "--format", "onnx", "-o", directory + "/t.onnx", "--json");
    assertThat(onnx.exitCode()).as(onnx.err()).isZero();
    assertThat(onnx.out()).contains("\"format\":\"onnx\",\"tasks\":[\"main\"]}");
    assertThat(directory.resolve("t.onnx")).isNotEmptyFile();

    var image = new BufferedImage(40, 40, BufferedImage.TYPE_INT_RGB);
    image.createGraphics().fillOval(5, 5, 20, 30);
    String best = directory + "/runs/checkpoints/tuned/best.safetensors";
    assertThat(MixTrainingModel.load(zip).predict(image))
        .isEqualTo(MixTrainingModel.load(best).predict(image));

    List<String> more = new ArrayList<>(List.of(training("more", "pipeline=sl", "epochs.sl=1")));
    more.addAll(List.of("--init", zip, "-D", "init.parts=encoder-heads"));
    Printed trained = run(more.toArray(String[]::new));
    assertThat(trained.exitCode()).as(trained.err()).isZero();
    assertThat(trained.err()).contains("(encoder-heads)");
  }

  @Test
  void aRunIsExportedAsAFolderForPythonAndARunCanBeginFromIt() throws IOException {
    for (String format : List.of("timm", "huggingface")) {
      Path folder = directory.resolve("for-" + format);
      Printed said = run("export", "--run", "tuned", "--format", format, "-o", folder.toString());
      assertThat(said.exitCode()).as(said.err()).isZero();
      assertThat(folder.resolve("config.json")).isNotEmptyFile();
      assertThat(folder.resolve("model.safetensors")).isNotEmptyFile();
    }
    Path mae = directory.resolve("mae");
    Printed said = run("export", "--run", "first", "--format", "huggingface", "-o", mae.toString());
    assertThat(said.exitCode()).as(said.err()).isZero();
    assertThat(mae.resolve("config.json")).content().contains("\"ViTMAEModel\"");

    List<String> begun =
        new ArrayList<>(List.of(training("from-mae", "pipeline=sl", "epochs={ssl = 0, sl = 2}")));
    begun.addAll(List.of("--init", mae.toString()));
    Printed trained = run(begun.toArray(String[]::new));
    assertThat(trained.exitCode()).as(trained.err()).isZero();
    assertThat(row("from-mae").status()).isEqualTo(RunRow.Status.FINISHED);
    assertThat(row("from-mae").stateSha256()).isEqualTo(row("tuned").stateSha256());
  }

  @Test
  void predictLeavesARowForEveryFileUsableOrNot() throws IOException {
    Path photos = Files.createDirectories(directory.resolve("photos/a"));
    var image = new BufferedImage(40, 30, BufferedImage.TYPE_INT_RGB);
    ImageIO.write(image, "png", photos.resolve("black.png").toFile());
    Files.writeString(photos.resolve("words.jpg"), "no image");
    Files.writeString(photos.resolve("words.txt"), "no image");
    Path left = Files.createDirectories(directory.resolve(".said.unfinished-x"));
    LockOwner self = LockOwner.self();
    Files.writeString(
        left.resolve("owner.json"),
        new ObjectMapper()
            .writeValueAsString(new LockOwner("t", "h", self.pid(), "long ago", self.system())));
    String table = directory + "/said";
    String[] command = {"predict", "--run", "tuned", photos.getParent().toString(), "-o", table};

    Printed said = run(command);

    assertThat(said.exitCode()).as(said.err()).isZero();
    assertThat(said.out())
        .contains(
            "2 images of %s by --run tuned: 1 predicted, 1 cannot".formatted(photos.getParent()),
            "\nnot an image, skipped: 1 (a/words.txt)\n");
    assertThat(said.err()).contains("removed .said.unfinished-x, left unfinished by process ");
    assertThat(left).doesNotExist();
    try (Sessions.Opened opened = Sessions.local("test")) {
      SparkSession spark = opened.spark();
      List<Row> rows =
          spark.read().options(Location.LITERALLY).parquet(table).orderBy("source").collectAsList();
      assertThat(rows)
          .extracting(row -> row.<String>getAs("source"))
          .containsExactly("a/black.png", "a/words.jpg");
      assertThat(rows.get(0).<String>getAs("task")).isEqualTo("main");
      assertThat(rows.get(0).<Float>getList(rows.get(0).fieldIndex("probabilities"))).hasSize(10);
      assertThat(rows.get(0).<String>getAs("error")).isNull();
      assertThat(rows.get(1).<Integer>getAs("predicted")).isNull();
      assertThat(rows.get(1).<String>getAs("error")).startsWith("neither JPEG nor PNG");
    }
    Printed again = run(command);
    assertThat(again.exitCode()).isEqualTo(2);
    assertThat(again.err()).contains("-o %s: exists already; --force replaces it".formatted(table));
    Printed none = run("predict", "--run", "absent", photos.toString(), "-o", directory + "/no");
    assertThat(none.exitCode()).isEqualTo(2);
    assertThat(none.err()).contains("--run absent: no model of such a run");
  }
}
