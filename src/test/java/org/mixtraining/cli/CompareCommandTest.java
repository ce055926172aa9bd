package org.mixtraining.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.StreamSupport;
import javax.imageio.ImageIO;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.results.RunRow;
import org.mixtraining.results.RunRow.Status;
import org.mixtraining.results.Tables;

/** The commands compare, evaluate and report, from their arguments to what they print. */
@Tag("cluster") // whole commands, with a Spark session each
class CompareCommandTest {
  private static final List<String> RUNS =
      List.of(
          "small-drawn-f1-mix-s0",
          "small-drawn-f1-ssl-sl-s0",
          "small-drawn-f1-mix-s1",
          "small-drawn-f1-ssl-sl-s1");

  @TempDir static Path directory;
  private static Path conf;
  private static Printed first;

  @BeforeAll
  static void compareOnce() throws IOException {
    System.setProperty("spark.master", "local[2]");
    System.setProperty("spark.ui.enabled", "false");
    conf = directory.resolve("small.conf");
    Files.writeString(
        conf,
        """
        mixtraining {
          run.output = "%1$s/runs"
          data { synthetic { train = 120, test = 40 }, shards = 2 }
          model { preset = vit-nano, patch = 8, decoder.depth = 1 }
          epochs { ssl = 1, sl = 1 }
          mix.ratio = 1
          optimizer.batch-size = 32
          workers.count = 1
          compare {
            name = small
            arms { ssl-sl { pipeline = ssl-sl }, mix { pipeline = mix } }
            datasets { drawn { data.path = "%1$s/drawn" } }
            seeds = [0, 1]
            parallel = 2
          }
        }
        """
            .formatted(directory));
    Printed plan = run("compare", "--dry-run");
    assertThat(plan.err()).contains("4 left; their cost is unknown until");
    first = run("compare");
  }

  @AfterAll
  static void restore() {
    System.clearProperty("spark.master");
    System.clearProperty("spark.ui.enabled");
  }

  private static Printed run(String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.addAll(List.of("--conf", conf.toString()));
    return Printed.by(all.toArray(String[]::new));
  }

  private static RunRow row(String id) {
    return new Tables(new Configuration(), directory + "/runs").run(id).orElseThrow();
  }

  @Test
  void everyRunIsTrainedAndTheArmsAreHeldAgainstEachOther() {
    assertThat(first.exitCode()).as(first.err()).isZero();
    assertThat(RUNS).allMatch(id -> row(id).status() == Status.FINISHED);
    assertThat(first.err())
        .contains("comparison small: 4 runs, 0 finished, 4 left")
        .contains("1/4 small-drawn-f1-", "4/4 small-drawn-f1-")
        .containsPattern("3/4 .*: test [0-9.]+ %, [0-9.]+ device s; .* left");
    assertThat(first.out().lines().filter(line -> line.startsWith("drawn")))
        .hasSize(2)
        .allSatisfy(line -> assertThat(line).contains("2/2").contains("±"));
    assertThat(first.out()).contains("ahead on both");
  }

  @Test
  void everyRunPredictsItsTestImagesWithItsBestModel() throws IOException {
    Printed found =
        run(
            "sql",
            "--json",
            "-e",
            """
            select count(distinct id) as images, count_if(label = predicted) / count(*) as accuracy,
              any_value(test_accuracy_at_best) as recorded
            from predictions join runs using (run_id) group by run_id
            """);

    assertThat(found.json().size()).isGreaterThanOrEqualTo(RUNS.size());
    assertThat(found.json())
        .allSatisfy(
            run -> {
              assertThat(run.get("images").asInt()).isEqualTo(40);
              assertThat(run.get("accuracy")).isEqualTo(run.get("recorded"));
            });
  }

  @Test
  void everyArmIsTestedOnTheSameImages() throws IOException {
    Printed found =
        run(
            "sql",
            "--json",
            "-e",
            """
            select sort_array(collect_list(struct(id, label))) as images
            from predictions where run_id like 'small-%' group by run_id
            """);

    assertThat(found.json()).hasSize(RUNS.size());
    assertThat(found.json()).allSatisfy(run -> assertThat(run).isEqualTo(found.json().get(0)));
    assertThat(found.json().get(0).get("images")).hasSize(40);
  }

  @Test
  void sideBySideARunReachesTheBitsThatItReachesAlone() {
    Printed alone =
        run(
            "train",
            "-D",
            "run.id=alone",
            "-D",
            "run.seed=1",
            "-D",
            "data.path=" + directory + "/drawn");

    assertThat(alone.exitCode()).as(alone.err()).isZero();
    assertThat(row("alone").stateSha256()).isEqualTo(row("small-drawn-f1-mix-s1").stateSha256());
  }

  @Test
  void whatIsFinishedIsNotTrainedAgain() throws IOException {
    List<Instant> ended = RUNS.stream().map(id -> row(id).ended()).toList();

    Printed again = run("compare", "--json");

    assertThat(again.exitCode()).as(again.err()).isZero();
    assertThat(again.err()).contains("4 runs, 4 finished, 0 left").doesNotContain("1/4 ");
    assertThat(RUNS.stream().map(id -> row(id).ended()).toList()).isEqualTo(ended);
    JsonNode settings = again.json();
    assertThat(settings).hasSize(2);
    JsonNode mix = settings.get(0);
    assertThat(mix.get("arm").asText()).isEqualTo("mix");
    assertThat(mix.get("runs").asInt()).isEqualTo(2);
    assertThat(mix.get("accuracy").asDouble()).isBetween(0.0, 1.0);
    assertThat(mix.get("times_fewer_flops").asDouble()).isGreaterThan(1);
    assertThat(settings.get(1).get("gain").asDouble()).isZero();
  }

  @Test
  void aGainIsToldWithTheMarginOfItsConfidenceInterval() {
    String table = run("compare").out();

    assertThat(table).containsPattern(" mix .* [+-]\\d+\\.\\d\\d ± \\d+\\.\\d\\d  ");
    assertThat(table).containsPattern(" ssl-sl .* \\+0\\.00 {3,}");
  }

  @Test
  void anotherConfigurationUnderTheSameNamesIsRefusedKeyByKey() {
    Printed changed = run("compare", "-D", "optimizer.clip=1", "-D", "mix.ratio=0.5");

    assertThat(changed.exitCode()).isEqualTo(2);
    assertThat(changed.err().lines())
        .contains(
            "error: run small-drawn-f1-mix-s0: mixtraining.optimizer.clip = 1, but was 0",
            "error: run small-drawn-f1-mix-s0: mixtraining.mix.ratio = 0.5, but was 1");
    assertThat(changed.err()).contains("mixtraining.compare.name = small: these runs started with");
  }

  /** The dataset of the runs by its manifest, but for the fingerprint {@code of-others}. */
  private static Path ofOthers(String name) throws IOException {
    Path path = Files.createDirectories(directory.resolve(name));
    String manifest = Files.readString(directory.resolve("drawn/dataset.json"));
    String was = row(RUNS.get(0)).setup().datasetFingerprint();
    Files.writeString(path.resolve("dataset.json"), manifest.replace(was, "of-others"));
    return path;
  }

  @Test
  void resultsOfOtherImagesAreNotTakenForThoseAskedFor() throws IOException {
    Path other = ofOthers("other");
    String was = row(RUNS.get(0)).setup().datasetFingerprint();

    Printed compared =
        run("compare", "-D", "mixtraining.compare.datasets.drawn.data.path=" + other);
    Printed trained =
        run("train", "-D", "run.id=" + RUNS.get(0), "-D", "run.seed=0", "-D", "data.path=" + other);

    String problem =
        "mixtraining.data.path = %s: holds other images than the run was trained on: their fingerprint is of-others, but was %s"
            .formatted(other, was);
    assertThat(compared.exitCode()).isEqualTo(2);
    assertThat(compared.err().lines())
        .containsAll(RUNS.stream().map(id -> "error: run " + id + ": " + problem).toList());
    assertThat(trained.exitCode()).isEqualTo(2);
    assertThat(trained.err().lines()).contains("error: " + problem);
  }

  @Test
  void whatAComparisonNoLongerHasLeavesItsTable() throws IOException {
    Printed fewer = run("compare", "--json", "-D", "compare.seeds=[1]");

    assertThat(fewer.exitCode()).as(fewer.err()).isZero();
    assertThat(fewer.json()).allSatisfy(arm -> assertThat(arm.get("runs").asInt()).isEqualTo(1));
    assertThat(row(RUNS.get(0)).status()).isEqualTo(Status.FINISHED);

    Printed again = run("compare", "--json");

    assertThat(again.json()).allSatisfy(arm -> assertThat(arm.get("runs").asInt()).isEqualTo(2));
  }

  @Test
  void thePlanTellsEpochsFlopsAndWhatTheRestWillTake() throws IOException {
    Printed plan = run("compare", "--dry-run", "--json", "-D", "compare.seeds=[0, 1, 2]");

    assertThat(plan.exitCode()).as(plan.err()).isZero();
    List<JsonNode> runs = StreamSupport.stream(plan.json().spliterator(), false).toList();
    assertThat(runs)
        .extracting(run -> run.get("status").asText())
        .containsExactly("finished", "finished", "finished", "finished", "left", "left");
    JsonNode left = runs.get(5);
    assertThat(left.get("run_id").asText()).isEqualTo("small-drawn-f1-ssl-sl-s2");
    assertThat(left.get("epochs").asText()).isEqualTo("1 SSL + 1 SL");
    assertThat(left.get("flops_of_baseline").asDouble()).isEqualTo(1);
    assertThat(left.get("device_seconds").asDouble()).isPositive();
    assertThat(runs.get(4).get("epochs").asText()).isEqualTo("1 MIX");
    assertThat(plan.err()).contains("6 runs, 4 finished, 2 left; these take about");
    // The formula of the plan is that of the trained run.
    assertThat(runs.get(1).get("flops").asDouble())
        .isEqualTo(row("small-drawn-f1-ssl-sl-s0").progress().flops());
  }

  @Test
  void theFeaturesOfARunAreJudgedAndItsReconstructionsDrawn() throws IOException {
    Path picture = directory.resolve("made.png");

    Printed evaluated =
        run(
            "evaluate",
            "--run",
            RUNS.get(0),
            "--knn",
            "--probe",
            "--json",
            "--reconstructions",
            picture.toString());

    assertThat(evaluated.exitCode()).as(evaluated.err()).isZero();
    assertThat(evaluated.json())
        .extracting(r -> r.get("method").asText() + " " + r.get("split").asText())
        .containsExactly(
            "k-nn validation", "k-nn test", "linear-probe validation", "linear-probe test");
    assertThat(evaluated.json())
        .allSatisfy(r -> assertThat(r.get("accuracy").asDouble()).isBetween(0.0, 1.0));
    assertThat(evaluated.json().get(1).get("images").asInt()).isEqualTo(40);
    BufferedImage drawn = ImageIO.read(picture.toFile());
    assertThat(drawn.getWidth()).isGreaterThan(3 * 128);

    Printed stored = run("sql", "--json", "-e", "select method, accuracy from features");
    assertThat(stored.json()).hasSize(4);
  }

  @Test
  void aRunIsReportedWithItsImagesInOneFile() throws IOException {
    Path file = directory.resolve("run.html");

    Printed reported = run("report", "--run", RUNS.get(0), "--json", "-o", file.toString());

    assertThat(reported.exitCode()).as(reported.err()).isZero();
    JsonNode told = reported.json();
    assertThat(told.get("file").asText()).isEqualTo(file.toString());
    assertThat(told.get("bytes").asLong()).isEqualTo(Files.size(file));
    assertThat(told.get("id").asText()).isEqualTo(RUNS.get(0));
    assertThat(told.get("missing"))
        .allSatisfy(m -> assertThat(m.get("section").asText()).isEqualTo("features"));
    String html = Files.readString(file);
    assertThat(html)
        .contains("alt=\"original: ", "alt=\"test image ", row(RUNS.get(0)).stateSha256());
    assertThat(html).doesNotContain("no image", "http:", "https:");
    try (var left = Files.list(directory)) {
      assertThat(left.map(f -> f.getFileName().toString()))
          .noneMatch(n -> n.startsWith(".run.html"));
    }
  }

  @Test
  void aComparisonIsReported() throws IOException {
    Path file = directory.resolve("comparison.html");

    Printed reported = run("report", "--compare", "small", "-o", file.toString());

    assertThat(reported.exitCode()).as(reported.err()).isZero();
    assertThat(reported.out()).startsWith(file + " (");
    assertThat(Files.readString(file)).contains("4 of 4 runs finished", "small-drawn-f1-mix-s1");
  }

  @Test
  void aReportOnNothingIsRefusedAndWritesNothing() {
    Path file = directory.resolve("nothing.html");

    Printed nobody = run("report", "--run", "nobody", "-o", file.toString());
    Printed none = run("report", "--compare", "none", "-o", file.toString());
    Printed both = run("report", "--run", "a", "--compare", "b", "-o", file.toString());
    Printed nowhere = run("report", "--run", RUNS.get(0), "-o", directory + "/no/where.html");

    assertThat(nobody.err()).contains("error: --run nobody: no such run in");
    assertThat(none.err()).contains("error: --compare none: no such comparison in");
    assertThat(both.err()).contains("mutually exclusive");
    assertThat(nowhere.err()).contains("must be a file in a directory that exists");
    assertThat(List.of(nobody, none, both, nowhere)).allMatch(printed -> printed.exitCode() == 2);
    assertThat(file).doesNotExist();
  }

  @Test
  void aRunThatFailsKeepsNoOtherFromTraining() {
    Printed compared =
        run(
            "compare",
            "-D",
            "compare.name=failing",
            "-D",
            "compare.seeds=[0]",
            "-D",
            "compare.arms.hopeless={optimizer.base-lr = 1e30}");

    assertThat(compared.exitCode()).isEqualTo(1);
    assertThat(compared.err())
        .containsPattern("/3 failing-drawn-f1-hopeless-s0: failed: .*loss")
        .contains("/3 failing-drawn-f1-mix-s0: test", "/3 failing-drawn-f1-ssl-sl-s0: test");
    assertThat(row("failing-drawn-f1-hopeless-s0").status()).isEqualTo(Status.FAILED);
    assertThat(compared.out().lines().filter(line -> line.startsWith("drawn")))
        .hasSize(3)
        .anyMatch(line -> line.contains("hopeless") && line.contains("0/1"));
  }

  @Test
  void otherImagesThanThoseOfTheRunAreNotJudged() throws IOException {
    Path changed = ofOthers("changed");
    Path file = directory.resolve("changed.html");
    String path = "data.path=" + changed;

    Printed judged = run("evaluate", "--run", RUNS.get(0), "-D", path);
    Printed reported = run("report", "--run", RUNS.get(0), "-D", path, "-o", file.toString());

    String problem =
        "holds other images than the run was trained on: their fingerprint is of-others";
    assertThat(judged.exitCode()).isEqualTo(2);
    assertThat(judged.err()).contains("error: mixtraining.data.path = " + changed + ": " + problem);
    assertThat(reported.exitCode()).as(reported.err()).isZero();
    assertThat(Files.readString(file)).contains(problem).doesNotContain("alt=\"test image ");
  }

  @Test
  void aRunOrAModelThatIsNotThereIsNamed() {
    assertThat(run("evaluate", "--run", "nobody").err())
        .contains("error: --run nobody: no such run in");
    assertThat(run("evaluate", "--run", RUNS.get(0), "-D", "data.path=" + directory).exitCode())
        .isEqualTo(2);
  }
}
