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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.config.AugmentConfig.Range;
import org.mixtraining.config.DataConfig.Cache;
import org.mixtraining.config.DataConfig.Caching;
import org.mixtraining.config.DataConfig.Task;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.config.ModelConfig.Decoder;
import org.mixtraining.config.ModelConfig.Encoder;
import org.mixtraining.config.OptimizerConfig.Betas;
import org.mixtraining.config.hocon.Canonical;

class JobConfigTest {
  @TempDir Path directory;

  @Test
  void theDefaultsAreValid() {
    JobConfig config = load();

    assertThat(config.pipeline()).isEqualTo(Pipeline.MIX);
    assertThat(config.model().preset()).isEqualTo("vit-tiny");
    assertThat(config.optimizer().sslBetas()).isEqualTo(new Betas(0.9, 0.95));
    assertThat(config.optimizer().peak()).isEqualTo(1e-3);
    assertThat(config.mix().alpha()).hasToString("linear(1->0)");
    assertThat(config.run().id()).isEmpty();
  }

  @Test
  void aFileIncludesAnotherBesideItAlsoFromTheWorkingDirectory() throws IOException {
    Path common = Files.createTempFile(Path.of(""), "common", ".conf");
    Path file = Files.createTempFile(Path.of(""), "job", ".conf");
    try {
      Files.writeString(common, "mixtraining.epochs { ssl = 3, sl = 4 }");
      Files.writeString(file, "include \"%s\"\nmixtraining.epochs.sl = 5".formatted(common));

      JobConfig config = JobConfig.load(Optional.of(file), List.of());

      assertThat(config.epochs()).isEqualTo(new EpochsConfig(3, 5));
    } finally {
      Files.delete(common);
      Files.delete(file);
    }
  }

  @Test
  void aFileOverridesTheDefaultsAndTheCommandLineTheFile() {
    Path file = file("mixtraining { epochs { ssl = 3, sl = 4 }, pipeline = ssl-sl }");

    JobConfig config =
        JobConfig.load(
            Optional.of(file),
            List.of("mixtraining.epochs.sl=5", "epochs.sl = 6", "mix.pass=two-pass"));

    assertThat(config.epochs()).isEqualTo(new EpochsConfig(3, 6));
    assertThat(config.pipeline()).isEqualTo(Pipeline.SSL_SL);
    assertThat(config.mix().pass()).isEqualTo(MixPass.TWO_PASS);
  }

  @Test
  void anOverrideIsTakenAsItStandsUnlessItIsBracketed() {
    JobConfig config =
        load(
            "data.path=s3a://bucket/images, 32 # all",
            "optimizer.sl-betas=[0.8, 0.99]",
            "epochs={ssl = 1, sl = 2}",
            "data.source=\"raw files\"");

    assertThat(config.data().path()).isEqualTo("s3a://bucket/images, 32 # all");
    assertThat(config.data().raw().source()).isEqualTo("raw files");
    assertThat(config.optimizer().slBetas()).isEqualTo(new Betas(0.8, 0.99));
    assertThat(config.epochs()).isEqualTo(new EpochsConfig(1, 2));
  }

  @Test
  void substitutionsAreResolved() {
    Path file = file("mixtraining { run.seed = 7, data.seed = ${mixtraining.run.seed} }");

    assertThat(JobConfig.load(Optional.of(file), List.of()).data().preparation().seed())
        .isEqualTo(7);
  }

  @ParameterizedTest
  @CsvSource({
    "vit-base,768,4",
    "vit-small,384,4",
    "vit-tiny,192,4",
    "vit-micro,96,2",
    "vit-nano,48,1"
  })
  void theDecoderFollowsThePreset(String preset, int dim, int depth) {
    assertThat(load("model.preset=" + preset).model().decoder()).isEqualTo(new Decoder(dim, depth));
  }

  @Test
  void aPresetIsANameForSizesThatMayBeGivenOneByOne() {
    assertThat(load("model.preset=vit-small").model().encoder())
        .isEqualTo(new Encoder("vit-small", 384, 12, 6, 4));
    ModelConfig own =
        load("model.dim=160", "model.depth=5", "model.heads=5", "model.mlp-ratio=2").model();
    assertThat(own.encoder()).isEqualTo(new Encoder("vit-tiny", 160, 5, 5, 2));
    assertThat(own.decoder()).isEqualTo(new Decoder(160, 1));
  }

  @Test
  void headsDivideTheTokensOfEncoderAndDecoder() {
    assertThat(problems(Optional.empty(), "model.dim=200"))
        .containsExactly(
            "mixtraining.model.heads = 3: must divide mixtraining.model.dim = 200 (default)");
    assertThat(problems(Optional.empty(), "model.heads=6", "model.decoder.dim=90"))
        .containsExactly(
            "mixtraining.model.decoder.dim = 90: must be a positive multiple of 12 (command line)");
  }

  @Test
  void anExplicitDecoderWinsAndNullMeansTheDefault() {
    JobConfig config =
        load("model.preset=vit-nano", "model.decoder.dim=96", "model.decoder.depth=null");

    assertThat(config.model().decoder()).isEqualTo(new Decoder(96, 1));
  }

  @Test
  void eachObjectiveHasItsOwnAugmentation() {
    AugmentConfig augment =
        load("augment.ssl.random-resized-crop.scale=[0.2, 1]", "augment.sl.rand-augment.ops=2")
            .augment();

    assertThat(augment.ssl().randomResizedCrop())
        .isEqualTo(new AugmentConfig.ResizedCrop(new Range(0.2, 1), new Range(0.75, 1.3333)));
    assertThat(augment.ssl().randAugment().ops()).isZero();
    assertThat(augment.sl().randomResizedCrop().scale()).isEqualTo(new Range(1, 1));
    assertThat(augment.sl().randAugment()).isEqualTo(new AugmentConfig.RandAugment(2, 9));
    assertThat(augment.sl().cropPadding()).isEqualTo(4);
    assertThat(augment.sl().flip()).isTrue();
  }

  @Test
  void ssatPoolsAndReconstructsAsItsAuthorsDoUnlessToldOtherwise() {
    ModelConfig ssat = load("pipeline=ssat").model();
    assertThat(ssat.pooling()).isEqualTo(ModelConfig.Pooling.CLS);
    assertThat(ssat.normPix()).isFalse();
    ModelConfig told = load("pipeline=ssat", "model.pooling=mean", "model.norm-pix=true").model();
    assertThat(told.pooling()).isEqualTo(ModelConfig.Pooling.MEAN);
    assertThat(told.normPix()).isTrue();
    for (String other : List.of("sl", "ssl-sl", "mix")) {
      assertThat(load("pipeline=" + other).model().pooling()).isEqualTo(ModelConfig.Pooling.MEAN);
      assertThat(load("pipeline=" + other).model().normPix()).isTrue();
    }
  }

  @Test
  void withoutACacheImagesAreShuffledInWindows() {
    assertThat(load().data().caching()).isEqualTo(new Caching(Cache.AUTO, 0));
    assertThat(load("data.cache=none").data().caching()).isEqualTo(new Caching(Cache.NONE, 512));
    assertThat(load("data.cache=disk", "data.window=100").data().caching().windowBytes())
        .isEqualTo(100_000_000L);
    assertThat(problems("data.cache=none", "data.window=0"))
        .containsExactly(
            "mixtraining.data.window = 0: must be above 0 with mixtraining.data.cache = none (command line)");
  }

  @Test
  void alphaFollowsThePipelineUnlessItIsGiven() {
    assertThat(load("pipeline=ssat").mix().alpha()).hasToString("constant(0.9)");
    assertThat(load("pipeline=ssat", "mix.alpha=constant(0.5)").mix().alpha())
        .hasToString("constant(0.5)");
  }

  @Test
  void alphaIsReadWithEitherArrow() {
    Curve ramp = new Curve(Curve.Shape.LINEAR, 1, 0.25);

    assertThat(load("mix.alpha=linear(1->0.25)").mix().alpha()).isEqualTo(ramp);
    assertThat(load("mix.alpha=linear( 1 → 0.25 )").mix().alpha()).isEqualTo(ramp);
    assertThat(
            JobConfig.load(Optional.of(file("mixtraining.mix.alpha = linear(1->0.25)")), List.of())
                .mix()
                .alpha())
        .isEqualTo(ramp);
  }

  @Test
  void theMaskRatioOfTheMixPhaseFallsFromTheModelsWhereThePassIsVisible() {
    assertThat(load("model.mask-ratio=0.6").mix().maskRatio()).hasToString("linear(0.6->0)");
    for (String other : List.of("mix.pass=two-pass", "mix.pass=corrupted", "pipeline=ssat")) {
      assertThat(load("model.mask-ratio=0.6", other).mix().maskRatio())
          .hasToString("constant(0.6)");
    }
    assertThat(load("mix.mask-ratio=linear(0.75->0)").mix().maskRatio())
        .hasToString("linear(0.75->0)");
    assertThat(problems("mix.mask-ratio=linear(1->0)"))
        .containsExactly(
            "mixtraining.mix.mask-ratio = linear(1->0): must be constant(a), linear(a->b) or cosine(a->b) with a and b in [0, 1) (command line)");
  }

  @Test
  void tasksAreReadFromAListAndSurviveTheCanonicalText() {
    JobConfig config =
        load("data.tasks=[{name = a, path = x/a}, {name = b.2, path = \"s3a://b\", weight = 0.5}]");

    assertThat(config.data().tasks())
        .containsExactly(new Task("a", "x/a", 1), new Task("b.2", "s3a://b", 0.5));
    assertThat(config.data().labelled()).isEqualTo(config.data().tasks());
    Path file = file(config.canonical());
    assertThat(JobConfig.load(Optional.of(file), List.of())).isEqualTo(config);
  }

  @Test
  void withoutTasksThereIsOneOfTheDatasetItself() {
    assertThat(load("data.path=here").data().labelled())
        .containsExactly(new Task("main", "here", 1));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[{name = a, path = x}, {name = a, path = y}]",
        "[{name = a/b, path = x}]",
        "[{name = a, path = x, weight = 0}]",
        "[{name = a, path = \"\"}]",
        "[{name = a}]",
        "[{name = a, path = x, wait = 1}]",
        "[a, b]",
        "a",
      })
  void tasksThatAreNoneAreRefused(String tasks) {
    assertThat(problems("data.tasks=" + tasks))
        .singleElement()
        .asString()
        .startsWith("mixtraining.data.tasks = ")
        .endsWith(
            ": must be a list of { name = …, path = …, weight = 1 }, with distinct names of letters, digits and . _ - and weights above 0 (command line)");
  }

  @Test
  void anSslDatasetIsForASingleTask() {
    assertThat(problems("data.ssl=y", "data.tasks=[{name = a, path = x}]"))
        .containsExactly(
            "mixtraining.data.ssl = y: must be empty if mixtraining.data.tasks is set (command line)");
  }

  @Test
  void everyProblemIsReportedWithItsKeyValueRangeAndPlace() {
    Path file =
        file(
            """
            mixtraining {
              model.patch = 0
              data { fraction = 1.5, validation = 1 }
              mix.ratio = half
              optimizer {
                sl-betas = [0.9]
                bach-size = 3
              }
            }
            """);

    assertThat(problems(Optional.of(file), "workers.count=0"))
        .containsExactlyInAnyOrder(
            "mixtraining.model.patch = 0: must be a whole number of at least 1 (" + file + ":2)",
            "mixtraining.data.fraction = 1.5: must be a number in (0, 1] (" + file + ":3)",
            "mixtraining.data.validation = 1: must be a number in [0, 1) (" + file + ":3)",
            "mixtraining.mix.ratio = half: must be a number in [0, 1] (" + file + ":4)",
            "mixtraining.optimizer.sl-betas = [0.9]: must be two numbers in [0, 1), as [0.9, 0.999] ("
                + file
                + ":6)",
            "mixtraining.optimizer.bach-size = 3: unknown key; the nearest is mixtraining.optimizer.batch-size ("
                + file
                + ":7)",
            "mixtraining.workers.count = 0: must be a whole number of at least 1 (command line)");
  }

  @ParameterizedTest
  @CsvSource({
    "optimizer.bach-size, optimizer.batch-size",
    "optimizer.baseLr, optimizer.base-lr",
    "batch-size, optimizer.batch-size",
    "model.decoder.width, model.decoder.depth",
    "worker.count, workers.count",
  })
  void anUnknownKeyNamesTheNearest(String given, String nearest) {
    assertThat(problems(given + "=1"))
        .containsExactly(
            "mixtraining.%s = 1: unknown key; the nearest is mixtraining.%s (command line)"
                .formatted(given, nearest));
  }

  @Test
  void aKeyOutsideTheBlockIsUnknown() {
    Path file = file("epochs.ssl = 3");

    assertThat(problems(Optional.of(file)))
        .containsExactly(
            "epochs: unknown block; every key lies inside mixtraining { … } (" + file + ":1)");
  }

  @Test
  void aBlockCannotBeAValueNorAValueABlock() {
    assertThat(problems("optimizer=3", "model.patch={side = 4}"))
        .containsExactlyInAnyOrder(
            "mixtraining.optimizer = 3: must be a block { … } (command line)",
            "mixtraining.model.patch = {\"side\":4}: must be a whole number of at least 1 (command line)");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model.patch=4.5",
        "model.patch=",
        "model.preset=vit-huge",
        "model.dim=66",
        "model.depth=0",
        "model.heads=0",
        "model.mlp-ratio=1.5",
        "model.mask-ratio=1",
        "model.mask-ratio=NaN",
        "model.norm-pix=maybe",
        "model.positions=relative",
        "init.parts=heads",
        "model.decoder.dim=100",
        "run.seed=99999999999999999999",
        "run.id=../escape",
        "run.output=",
        "pipeline=ssl_sl",
        "mix.alpha=linear(1)",
        "mix.alpha=constant(1.5)",
        "mix.alpha=linear(0->-0.1)",
        "mix.ratio=-0.01",
        "optimizer.base-lr=0",
        "optimizer.base-lr=1e999",
        "optimizer.ssl-betas=[0.9, 1]",
        "data.label-fraction=0",
        "augment.ssl.random-resized-crop.scale=[0, 1]",
        "augment.ssl.random-resized-crop.scale=[0.9, 0.2]",
        "augment.ssl.random-resized-crop.scale=[0.2, 1.1]",
        "augment.sl.random-resized-crop.ratio=[0, 1]",
        "augment.sl.random-resized-crop.ratio=0.75",
        "augment.sl.rand-augment.ops=-1",
        "augment.sl.rand-augment.magnitude=31",
        "augment.sl.random-erasing=1.01",
        "augment.mixup=-0.1",
        "workers.device=tpu",
      })
  void aValueThatIsNotAllowedIsRefused(String override) {
    assertThat(problems(override))
        .singleElement()
        .asString()
        .startsWith("mixtraining." + override.substring(0, override.indexOf('=')) + " = ")
        .contains(": must be ")
        .endsWith("(command line)");
  }

  @Test
  void aGpuTakesAWorkersPartOfABatchAtOnce() {
    assertThat(problems("optimizer.accumulate=2", "workers.device=gpu"))
        .containsExactly(
            "mixtraining.optimizer.accumulate = 2: must be 1 with mixtraining.workers.device = gpu: a GPU takes a worker's part of a batch at once (command line)");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "optimizer.batch-size=1;mixtraining.optimizer.batch-size = 1: must be at least mixtraining.workers.count = 2: all workers share it (command line)",
        "optimizer.accumulate=33;mixtraining.optimizer.accumulate = 33: must be at most a worker's part of a batch, mixtraining.optimizer.batch-size / mixtraining.workers.count = 32 (command line)",
        "optimizer.accumulate=0;mixtraining.optimizer.accumulate = 0: must be a whole number of at least 1 (command line)",
        "averaging.rounds=0.5;mixtraining.averaging.rounds = 0.5: must be auto, or a whole number of at least 1 (command line)",
        "averaging.rounds=0;mixtraining.averaging.rounds = 0: must be auto, or a whole number of at least 1 (command line)",
        "optimizer.min-lr=0.01;mixtraining.optimizer.min-lr = 0.01: must be at most the peak learning rate, mixtraining.optimizer.base-lr *"
            + " mixtraining.optimizer.batch-size / 256 = 0.001 (command line)",
      })
  void keysThatContradictEachOtherAreRefused(String override, String problem) {
    assertThat(problems(override)).containsExactly(problem);
  }

  @Test
  void aDatasetToBeMadeHasAShardForEachWorker() {
    assertThat(problems("data.source=raw", "data.shards=1"))
        .containsExactly(
            "mixtraining.data.shards = 1: must be at least mixtraining.workers.count = 2 (command line)");
    assertThat(JobConfig.load(Optional.empty(), List.of("data.shards=1")).workers().count())
        .as("of a dataset that is there, its own shards count")
        .isEqualTo(2);
  }

  @ParameterizedTest
  @CsvSource({
    "64, 1, 1, 64",
    "64, 2, 1, 64",
    "512, 2, 1, 256",
    "512, 2, 4, 64",
    "4096, 1024, 1, 64",
    "16, 4, 1, 16"
  })
  void noMoreImagesAreScoredAtATimeThanAWorkerHasRoomFor(
      int batch, int workers, int parts, int scored) {
    JobConfig config =
        JobConfig.load(
            Optional.empty(),
            List.of(
                "optimizer.batch-size=" + batch,
                "workers.count=" + workers,
                "optimizer.accumulate=" + parts));
    assertThat(config.scoredAtOnce()).isEqualTo(scored);
  }

  @Test
  void aMaskTokenKnowsNoLearnedPositions() {
    assertThat(problems("model.positions=learned", "mix.pass=corrupted"))
        .containsExactly(
            "mixtraining.model.positions = learned: must be sin-cos if mixtraining.mix.pass is corrupted (command line)");
    assertThat(JobConfig.load(Optional.empty(), List.of("model.positions=learned")).model())
        .extracting(ModelConfig::positions)
        .isEqualTo(ModelConfig.Positions.LEARNED);
  }

  @Test
  void aRunHasAtLeastOneEpoch() {
    assertThat(problems("epochs={ssl=0, sl=0}").get(0))
        .startsWith("mixtraining.epochs.sl = 0: must be at least 1");
    assertThat(problems("epochs.sl=0", "pipeline=sl").get(0))
        .startsWith("mixtraining.epochs.sl = 0: must be at least 1 for pipeline sl");
    assertThat(load("epochs.sl=0").epochs().sl()).isZero();
  }

  @Test
  void theIdOfARunHasUpTo80Characters() {
    String longest = "x".repeat(80);

    assertThat(load("run.id=" + longest).run().id()).isEqualTo(RunConfig.checkedId(longest));
    assertThat(problems("run.id=x" + longest))
        .containsExactly(
            "mixtraining.run.id = x%s: must be 1 to 80 letters, digits and . _ - with a letter or digit first, or empty (command line)"
                .formatted(longest));
  }

  @Test
  void anOverrideWithoutKeyOrEqualsIsRefused() {
    assertThat(problems("epochs.ssl", "=3", "a..b=1"))
        .hasSize(3)
        .allSatisfy(problem -> assertThat(problem).contains(": must be key=value"));
  }

  @Test
  void aSyntaxErrorNamesFileAndLine() {
    Path file = file("mixtraining {\n  epochs { ssl = 3\n");

    assertThat(problems(Optional.of(file)))
        .singleElement()
        .asString()
        .startsWith(file.toString() + ":")
        .doesNotContain("\n");
  }

  @Test
  void aMissingFileIsNamed() {
    Path file = directory.resolve("absent.conf");

    assertThat(problems(Optional.of(file)))
        .containsExactly("configuration file " + file + ": no such file");
    assertThat(problems(Optional.of(directory)))
        .containsExactly("configuration file " + directory + ": not a readable file");
  }

  @Test
  void anUnresolvedSubstitutionIsNamed() {
    assertThat(problems(Optional.of(file("mixtraining.run.seed = ${absent.key}"))))
        .singleElement()
        .asString()
        .contains("absent.key")
        .contains(":1");
  }

  @Test
  void canonicalTextLoadsAsTheSameConfiguration() {
    JobConfig config =
        load(
            "pipeline=ssat",
            "model.preset=vit-nano",
            "mix.alpha=cosine(0.9->1e-3)",
            "run.id=a.b",
            "augment.sl.random-resized-crop.scale=[0.08, 1]");

    JobConfig again = JobConfig.load(Optional.of(file(config.canonical())), List.of());

    assertThat(again).isEqualTo(config);
    assertThat(again.canonical()).isEqualTo(config.canonical());
  }

  @Test
  void canonicalTextDoesNotDependOnHowTheConfigurationIsWritten() {
    Path file = file("mixtraining.epochs { sl = 5.0e0, ssl = \"4\" } // comment");

    String canonical = load("epochs.ssl=4").canonical();

    assertThat(problems(Optional.of(file)))
        .as("a whole number is written as one")
        .singleElement()
        .asString()
        .startsWith("mixtraining.epochs.sl = 5.0e0: must be a whole number");
    assertThat(canonical)
        .doesNotContain("\n")
        .startsWith(
            "{\"mixtraining\":{\"augment\":{\"cutmix\":0.0,\"mixup\":0.0,\"patch-dropout\":\"linear(0.5->0)\",\"sl\":{\"crop-padding\":4,")
        .contains("\"ssl-betas\":[0.9,0.95]", "\"pipeline\":\"mix\"", "\"mask-ratio\":0.75")
        .isEqualTo(load("epochs.ssl=\"4\"").canonical());
  }

  @Test
  void secretsAreRedacted() {
    record Store(String path, String apiToken, String dbPassword) {}

    assertThat(Canonical.json("store", new Store("p", "abc", "def")))
        .isEqualTo(
            "{\"store\":{\"api-token\":\"(redacted)\",\"db-password\":\"(redacted)\",\"path\":\"p\"}}");
  }

  private static JobConfig load(String... overrides) {
    return JobConfig.load(Optional.empty(), List.of(overrides));
  }

  private static List<String> problems(String... overrides) {
    return problems(Optional.empty(), overrides);
  }

  private static List<String> problems(Optional<Path> file, String... overrides) {
    return catchThrowableOfType(UserException.class, () -> JobConfig.load(file, List.of(overrides)))
        .problems();
  }

  private Path file(String text) {
    try {
      return Files.writeString(directory.resolve("job.conf"), text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
