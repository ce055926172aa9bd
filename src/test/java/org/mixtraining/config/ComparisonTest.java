package org.mixtraining.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.Comparison.Setting;

class ComparisonTest {
  private static final String ARMS =
      "arms { ssl-sl { pipeline = ssl-sl }, mix { pipeline = mix, epochs.ssl = 30 } }\n";
  private static final String DATASETS = "datasets { a { data.path = data/a } }\n";

  @TempDir Path directory;

  private Comparison load(String block, String... overrides) {
    Path file = directory.resolve("compare.conf");
    try {
      Files.writeString(file, "mixtraining {\n compare {\n" + block + "}\n}\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return Comparison.load(Optional.of(file), List.of(overrides));
  }

  private List<String> problems(String block, String... overrides) {
    return catchThrowableOfType(UserException.class, () -> load(block, overrides)).problems();
  }

  @Test
  void everyArmMeetsEverySettingWithEverySeed() {
    Comparison comparison =
        load(
            ARMS
                + "datasets { a { data.path = data/a }, b { data.path = data/b } }\n"
                + "fractions = [1, 0.25], label-fractions = [1, 0.1], seeds = [0, 7], name = all");

    assertThat(comparison.runs()).hasSize(2 * 2 * 2 * 2 * 2);
    assertThat(comparison.runs().stream().map(Comparison.Run::setting).distinct())
        .containsExactly(
            new Setting("a", 1, 1),
            new Setting("a", 1, 0.1),
            new Setting("a", 0.25, 1),
            new Setting("a", 0.25, 0.1),
            new Setting("b", 1, 1),
            new Setting("b", 1, 0.1),
            new Setting("b", 0.25, 1),
            new Setting("b", 0.25, 0.1));
    assertThat(comparison.runs().subList(0, 16)).allMatch(run -> run.seed() == 0);
    Comparison.Run last = comparison.runs().get(31);
    assertThat(last.id()).isEqualTo("all-b-f0.25-l0.1-ssl-sl-s7");
    assertThat(last.arm()).isEqualTo("ssl-sl");
    assertThat(last.config().run().seed()).isEqualTo(7);
    assertThat(last.config().data().path()).isEqualTo("data/b");
    assertThat(last.config().data().fraction()).isEqualTo(0.25);
    assertThat(last.config().data().labelFraction()).isEqualTo(0.1);
    assertThat(last.config().pipeline()).isEqualTo(Pipeline.SSL_SL);
  }

  @Test
  void armsAndDatasetsAreTakenOutByNull() {
    String all = ARMS + "datasets { a { data.path = data/a }, b { data.path = data/b } }\n";

    assertThat(load(all + "arms.mix = null, datasets.a = null").runs())
        .singleElement()
        .satisfies(
            run -> {
              assertThat(run.arm()).isEqualTo("ssl-sl");
              assertThat(run.setting().dataset()).isEqualTo("b");
            });
    assertThat(problems(all + "datasets { a = null, b = null }"))
        .singleElement()
        .asString()
        .startsWith("mixtraining.compare.datasets = {}: must name at least one");
  }

  /** Whichever default follows whichever key. */
  @Test
  void armsThatDifferInMoreThanTheyNameAreTold() {
    Comparison comparison =
        load(
            """
            baseline = visible
            arms {
              visible { pipeline = mix }
              constant { mix.mask-ratio = "constant(0.75)" }
              corrupted { mix.pass = corrupted }
              two-pass-and-mask { mix.pass = two-pass, mix.mask-ratio = "constant(0.75)" }
              ssat { pipeline = ssat, mix.alpha = "constant(0.1)" }
              nano { model.preset = vit-nano, model.decoder.dim = 192 }
              patient { early-stopping.patience = 3 }
            }
            """
                + DATASETS);

    assertThat(comparison.notes())
        .containsExactly(
            "arm corrupted also differs in keys that it does not set, because their defaults depend on those it sets: mixtraining.augment.patch-dropout = constant(0) (not linear(0.5->0)), mixtraining.mix.mask-ratio = constant(0.75) (not linear(0.75->0))",
            "arm nano also differs in keys that it does not set, because their defaults depend on those it sets: mixtraining.model.decoder.depth = 1 (not 4)",
            "arm patient also differs in keys that it does not set, because their defaults depend on those it sets: mixtraining.early-stopping.cooldown = 3 (not 0)",
            "arm ssat also differs in keys that it does not set, because their defaults depend on those it sets: mixtraining.augment.patch-dropout = constant(0) (not linear(0.5->0)), mixtraining.mix.mask-ratio = constant(0.75) (not linear(0.75->0)), mixtraining.model.norm-pix = false (not true), mixtraining.model.pooling = cls (not mean)",
            "arm two-pass-and-mask also differs in keys that it does not set, because their defaults depend on those it sets: mixtraining.augment.patch-dropout = constant(0) (not linear(0.5->0))");
  }

  /** Labels are shown more often where they are few, whatever the arm. */
  @Test
  void whatFollowsFromTheShareOfLabelsIsNoDifferenceOfAnArm() {
    for (String labels : List.of("", "label-fractions = [0.1]")) {
      assertThat(load(ARMS + DATASETS + labels).notes())
          .containsExactly(
              "arm ssl-sl also differs in keys that it does not set, because their defaults depend on those it sets: mixtraining.augment.patch-dropout = constant(0) (not linear(0.5->0))");
    }
  }

  @Test
  void anArmStandsAboveTheFileAndTheCommandLine() {
    Comparison comparison = load(ARMS + DATASETS, "epochs.ssl=3", "epochs.sl=4");

    assertThat(comparison.runs())
        .extracting(run -> run.arm() + " " + run.config().epochs().ssl())
        .containsExactly("mix 30", "ssl-sl 3");
    assertThat(comparison.runs()).allMatch(run -> run.config().epochs().sl() == 4);
  }

  @Test
  void anArmsOwnKeysCanBeSetOnTheCommandLine() {
    Comparison comparison = load(ARMS + DATASETS, "compare.arms.mix.epochs.ssl=5");

    assertThat(comparison.runs().get(0).config().epochs().ssl()).isEqualTo(5);
  }

  @Test
  void axesThatAreNotGivenAreWhatTheRestSays() {
    Comparison comparison = load(ARMS + DATASETS, "data.fraction=0.5", "run.seed=9");

    assertThat(comparison.runs())
        .extracting(Comparison.Run::id)
        .containsExactly("comparison-a-f0.5-mix-s9", "comparison-a-f0.5-ssl-sl-s9");
  }

  @Test
  void aRunsConfigurationIsTheOneThatTrainWouldRead() {
    JobConfig run = load(ARMS + DATASETS, "model.preset=vit-nano").runs().get(0).config();

    JobConfig trained =
        JobConfig.load(
            Optional.empty(),
            List.of(
                "run.id=comparison-a-f1-mix-s0",
                "pipeline=mix",
                "epochs.ssl=30",
                "data.path=data/a",
                "model.preset=vit-nano"));
    assertThat(run.canonical()).isEqualTo(trained.canonical());
  }

  @Test
  void everyProblemOfEveryRunIsReportedOnce() {
    assertThat(
            problems(
                "arms { ssl-sl { pipeline = ssl-sl }, mix { pipelin = mix }, ssat { mix.ratio = 2 } }\n"
                    + DATASETS
                    + "seeds = [0, 1, 2], fractions = [1, 0]",
                "epochs.sl=-1"))
        .satisfiesExactlyInAnyOrder(
            p ->
                assertThat(p)
                    .startsWith("mixtraining.epochs.sl = -1: must be a whole number of at least 0"),
            p ->
                assertThat(p)
                    .startsWith(
                        "mixtraining.pipelin = mix: unknown key; the nearest is mixtraining.pipeline")
                    .endsWith("compare.conf:3)"),
            p -> assertThat(p).startsWith("mixtraining.mix.ratio = 2: must be a number in [0, 1]"),
            p ->
                assertThat(p)
                    .startsWith(
                        "mixtraining.compare.fractions = [1,0]: must be a list of numbers in (0, 1], as [1, 0.5]"));
  }

  @Test
  void aComparisonNeedsArmsDatasetsAndABaselineAmongTheArms() {
    assertThat(problems(""))
        .containsExactly(
            "mixtraining.compare.arms = {}: must name at least one, as { name { key = value } }",
            "mixtraining.compare.datasets = {}: must name at least one, as { name { key = value } }");
    assertThat(problems("arms { a {}, b {} }\n" + DATASETS + "baseline = c"))
        .singleElement()
        .asString()
        .startsWith("mixtraining.compare.baseline = c: must be an arm: a, b (");
  }

  @Test
  void whatTellsRunsApartOrHoldsForAllCannotBeAnArms() {
    assertThat(
            problems(
                "arms { ssl-sl { run.seed = 3, data.fraction = 0.5 }, mix = 3 }\n"
                    + "datasets { a { workers.threads-per-worker = 2 }, \"no name\" {} }"))
        .satisfiesExactlyInAnyOrder(
            p ->
                assertThat(p)
                    .startsWith(
                        "mixtraining.compare.arms.ssl-sl.run = {\"seed\":3}: cannot be set"),
            p ->
                assertThat(p)
                    .startsWith(
                        "mixtraining.compare.arms.ssl-sl.data.fraction = 0.5: cannot be set"),
            p ->
                assertThat(p).startsWith("mixtraining.compare.arms.mix = 3: must be a block { … }"),
            p ->
                assertThat(p)
                    .startsWith(
                        "mixtraining.compare.datasets.a.workers.threads-per-worker = 2: cannot be set"),
            p ->
                assertThat(p)
                    .startsWith("mixtraining.compare.datasets.no name = {}: a name must be of"));
  }

  @Test
  void armsOfASettingTrainOnTheSameData() {
    assertThat(
            problems(
                "arms { ssl-sl { data.ssl = other }, mix { data { path = elsewhere, seed = 2 } } }\n"
                    + DATASETS))
        .satisfiesExactlyInAnyOrder(
            p ->
                assertThat(p)
                    .startsWith(
                        "mixtraining.compare.arms.mix.data.path = elsewhere: cannot be set here: all arms of a setting train on the same data"),
            p ->
                assertThat(p)
                    .startsWith("mixtraining.compare.arms.mix.data.seed = 2: cannot be set here"));
  }

  @Test
  void oneDirectoryCannotHoldTwoDatasets() {
    assertThat(
            problems(
                ARMS
                    + "datasets { a { data { format = cifar10, source = x } }, b { data { format = cifar100, source = y } } }"))
        .containsExactly(
            "mixtraining.compare.datasets: a and b are made of different data and cannot share mixtraining.data.path = data/synthetic; give each its own path");
    assertThat(load(ARMS + "datasets { a { model.patch = 4 }, b { model.patch = 8 } }").runs())
        .hasSize(4);
  }

  @Test
  void twoRunsOfOneNameAreRefused() {
    assertThat(problems(ARMS + DATASETS + "seeds = [1, 1]"))
        .anySatisfy(p -> assertThat(p).contains("two runs would be named comparison-a-f1-mix-s1"));
  }

  @Test
  void otherCommandsReadTheRestOfSuchAFile() throws IOException {
    load(ARMS + DATASETS);

    JobConfig config =
        JobConfig.load(Optional.of(directory.resolve("compare.conf")), List.of("epochs.ssl=3"));

    assertThat(config.epochs().ssl()).isEqualTo(3);
    assertThat(config.canonical()).doesNotContain("compare");
  }
}
