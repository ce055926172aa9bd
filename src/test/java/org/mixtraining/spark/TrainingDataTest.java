package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.as;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.config.Comparison;
import org.mixtraining.config.DataConfig.Cache;
import org.mixtraining.config.DataConfig.Caching;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.DatasetManifest.Contents;
import org.mixtraining.data.Normalization;
import org.mixtraining.data.Split;
import org.mixtraining.run.DataChecks;
import org.mixtraining.run.TrainingData;
import org.mixtraining.schedule.Slice;

/** What follows from a configuration and the manifests of its datasets, without any image. */
class TrainingDataTest {
  private static final Configuration HADOOP = new Configuration(false);

  @TempDir Path directory;

  /** Of 3 classes with so many training images each. */
  private static DatasetManifest manifest(String name, int side, Long... classes) {
    return manifest(name, 3, side, classes);
  }

  private static DatasetManifest manifest(String name, int channels, int side, Long... classes) {
    List<Long> histogram = List.of(classes);
    Contents images = Contents.of(histogram, 0);
    Contents none = Contents.of(Collections.nCopies(3, 0L), 0);
    return new DatasetManifest(
        "cifar10",
        "label",
        List.of("cat", "dog", "owl"),
        channels,
        side,
        side,
        8,
        1,
        0,
        0.1,
        Map.of(Split.TRAIN, images, Split.VALIDATION, none, Split.TEST, none),
        0,
        new Normalization(Collections.nCopies(channels, 0.5), Collections.nCopies(channels, 0.2)),
        "fingerprint of " + name,
        1000,
        List.of());
  }

  /** A dataset by its manifest only. */
  private Path dataset(String name, int side, long ofEachClass) {
    try {
      Path path = Files.createDirectories(directory.resolve(name));
      Files.writeString(
          path.resolve("dataset.json"),
          manifest(name, side, ofEachClass, ofEachClass, ofEachClass).json());
      return path;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static TrainingData open(String... settings) {
    return TrainingData.open(HADOOP, JobConfig.load(Optional.empty(), List.of(settings)));
  }

  private static List<String> problems(String... settings) {
    return catchThrowableOfType(UserException.class, () -> open(settings)).problems();
  }

  private static MemoryNeed need(TrainingData data) {
    return MemoryNeed.of(data, 30_000_000, 1, TrainingData.Steps.ON_CPU);
  }

  @Test
  void aPatchOfOneValueIsNotReconstructedNormalised() throws IOException {
    Path path = Files.createDirectories(directory.resolve("grey"));
    Files.writeString(
        path.resolve("dataset.json"), manifest("grey", 1, 8, 100L, 100L, 100L).json());
    String data = "data.path=" + path;

    assertThat(problems(data, "model.patch=1"))
        .containsExactly(
            "mixtraining.model.norm-pix = true: with grey images and mixtraining.model.patch = 1 a patch is one value, which normalises to 0; set false, or use larger patches");
    for (String mended : List.of("model.patch=2", "model.norm-pix=false", "pipeline=sl")) {
      assertThatCode(
              () -> open(data, mended.startsWith("model.p") ? "run.id=a" : "model.patch=1", mended))
          .as(mended)
          .doesNotThrowAnyException();
    }
  }

  @Test
  void whatIsSaidOfRawFilesMustBeWhatTheShardsWereMadeBy() {
    Path path = dataset("a", 32, 100);

    assertThat(
            problems(
                "data.path=" + path, "data.source=raw", "data.format=cifar100", "data.shards=4"))
        .containsExactly(
            "mixtraining.data.format = cifar100: the dataset at mixtraining.data.path = %s was prepared with cifar10; use that, or prepare the images again in another mixtraining.data.path"
                .formatted(path),
            "mixtraining.data.shards = 4: the dataset at mixtraining.data.path = %s was prepared with 8; use that, or prepare the images again in another mixtraining.data.path"
                .formatted(path));
    assertThatCode(() -> open("data.path=" + path, "data.source=raw", "data.format=cifar10"))
        .doesNotThrowAnyException();
    assertThatCode(() -> open("data.path=" + path, "data.shards=4")).doesNotThrowAnyException();
  }

  @Test
  void aShareWithoutALabelledImageIsRefused() {
    Path path = dataset("a", 32, 100);

    assertThat(problems("data.path=" + path, "data.fraction=0.1", "data.label-fraction=0.04"))
        .containsExactly(
            "mixtraining.data.fraction = 0.1 with mixtraining.data.label-fraction = 0.04: leave no labelled image of file:%s, which has 300 training images, at most 100 per class"
                .formatted(path));
    assertThatCode(() -> open("data.path=" + path, "data.fraction=0.1", "data.label-fraction=0.06"))
        .doesNotThrowAnyException();
  }

  /** 300 training images with a label, and so many without. */
  private Path datasetWithUnlabelled(int images) throws IOException {
    Path path = dataset("a", 32, 100);
    Path file = path.resolve("dataset.json");
    String labelled = "(\"train\" : \\{\\s*\"images\" : )300(,\\s*\"histogram\" : \\[[^]]*])";
    String text = Files.readString(file);
    assertThat(text).containsPattern(labelled);
    Files.writeString(
        file,
        text.replaceFirst(labelled, "$1%s$2, \"unlabelled\" : %s".formatted(300 + images, images)));
    return path;
  }

  @Test
  void whereFewImagesCameWithALabelMorePassesOverThemAreNotedIfTheyArePaidFor() throws IOException {
    String few = "data.path=" + datasetWithUnlabelled(2700);

    assertThat(new DataChecks(open(few, "data.keep-unlabelled=true")).notes())
        .contains(
            "10.0 % of the training images have a label: mixtraining.mix.label-passes = 8 instead of 5 shows them more often, and merged epochs still cost less than those that they replace");
    for (String enough :
        List.of(
            "mix.label-passes=8",
            "mix.ratio=0",
            "mix.pass=two-pass",
            "mix.mask-ratio=linear(0.75->0)")) {
      assertThat(new DataChecks(open(few, "data.keep-unlabelled=true", enough)).notes())
          .as(enough)
          .noneMatch(note -> note.contains("label-passes"));
    }
  }

  @Test
  void imagesOfASliceAreCountedAsTheyAreChosen() throws IOException {
    DatasetManifest manifest =
        open("data.path=" + datasetWithUnlabelled(50)).labelled().get(0).dataset().manifest();
    for (double fraction : new double[] {1, 0.7, 0.07}) {
      for (double labels : new double[] {1, 0.55, 0.1}) {
        for (Slice slice :
            List.of(
                Slice.ALL,
                new Slice(0, 0),
                new Slice(0, 0.55),
                new Slice(0.55, 0.35),
                new Slice(0.9, 0.45))) {
          assertThat(manifest.unlabelled(Split.TRAIN, slice, fraction, fraction * labels))
              .as("%s of %s, labels of %s", slice, fraction, labels)
              .isEqualTo(chosen(manifest, slice, fraction, fraction * labels));
        }
      }
    }
  }

  private static long chosen(
      DatasetManifest manifest, Slice slice, double fraction, double labels) {
    return Stream.concat(
            manifest.splits().get(Split.TRAIN).histogram().stream().map(n -> new long[] {n, 1}),
            Stream.of(new long[] {manifest.splits().get(Split.TRAIN).unlabelled(), 0}))
        .mapToLong(
            kind -> {
              double low = labels * kind[1];
              return LongStream.range(0, kind[0])
                  .mapToDouble(k -> (k + 0.5) / kind[0])
                  .filter(quantile -> quantile >= low && slice.has(quantile, low, fraction))
                  .count();
            })
        .sum();
  }

  /** The schedule's defaults follow from the configuration, which must not deny them. */
  @Test
  void imagesWithoutALabelThatTheConfigurationDoesNotNameAreNoted() throws IOException {
    Path path = datasetWithUnlabelled(7);

    assertThat(new DataChecks(open("data.path=" + path)).notes())
        .contains(
            "7 training images of %s have no label: set mixtraining.data.keep-unlabelled = true, as for prepare; defaults of the schedule depend on it"
                .formatted(path));
    assertThat(new DataChecks(open("data.path=" + path, "data.keep-unlabelled=true")).notes())
        .noneMatch(note -> note.contains("have no label"));
  }

  @Test
  void selfSupervisedEpochsNeedNoLabelButJudgingTheirFeaturesDoes() {
    TrainingData data =
        open(
            "data.path=" + dataset("a", 32, 100),
            "data.fraction=0.1",
            "data.label-fraction=0.04",
            "pipeline=ssl-sl",
            "epochs={ssl = 1, sl = 0}");

    assertThat(catchThrowableOfType(UserException.class, new DataChecks(data)::labels).problems())
        .singleElement(as(STRING))
        .contains("leave no labelled image of");
  }

  @Test
  void classesThatAShareLeavesWithoutLabelsAreNamed() {
    DatasetManifest uneven = manifest("a", 32, 100L, 10L, 2L);

    assertThat(uneven.leftOut(Split.TRAIN, 0.1)).containsExactly("owl");
    assertThat(uneven.images(Split.TRAIN, 0.1)).isEqualTo(10 + 1);
    assertThat(uneven.images(Split.TRAIN, 1)).isEqualTo(112);
  }

  @Test
  void validationHasNoMoreLabelsOfAClassThanTraining() {
    DatasetManifest all = manifest("a", 32, 100L, 40L, 2L);
    Contents validation = Contents.of(List.of(10L, 50L, 1L), 0);
    DatasetManifest m =
        new DatasetManifest(
            all.format(),
            all.label(),
            all.classes(),
            3,
            32,
            32,
            8,
            1,
            0,
            0.1,
            Map.of(
                Split.TRAIN,
                all.splits().get(Split.TRAIN),
                Split.VALIDATION,
                validation,
                Split.TEST,
                validation),
            0,
            all.normalization(),
            "f",
            1,
            List.of());

    assertThat(m.heldOut(Split.VALIDATION, 1)).containsExactly(10L, 40L, 1L);
    assertThat(m.heldOut(Split.VALIDATION, 0.5)).containsExactly(10L, 20L, 1L);
    assertThat(m.heldOut(Split.VALIDATION, 0.05)).containsExactly(5L, 2L, 0L);
    assertThat(m.heldOut(Split.TEST, 0.05)).containsExactly(10L, 50L, 1L);
    for (double share : List.of(0.001, 0.01, 0.02, 0.1, 0.3, 0.77, 1.0)) {
      assertThat(m.heldOutImages(Split.VALIDATION, share))
          .isLessThanOrEqualTo(m.images(Split.TRAIN, share));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"visible", "corrupted"})
  void theBytesOfAStateAreThoseOfTheInitialModel(String pass) {
    TrainingData data =
        open(
            "model.preset=vit-nano",
            "model.patch=8",
            "pipeline=mix",
            "mix.pass=" + pass,
            "data.path=" + dataset("bytes", 16, 10));

    assertThat(data.stateBytes()).isEqualTo(data.initialModel().bytes());
  }

  @Test
  void theMemoryIsThatOfTheLargestTaskWhereverItStands() {
    String small = "{name = small, path = \"%s\"}".formatted(dataset("small", 16, 100));
    String large = "{name = large, path = \"%s\"}".formatted(dataset("large", 64, 100));

    MemoryNeed last = need(open("data.tasks=[%s, %s]".formatted(small, large)));
    MemoryNeed first = need(open("data.tasks=[%s, %s]".formatted(large, small)));

    assertThat(last).isEqualTo(first);
    assertThat(last.compute())
        .isGreaterThan(2 * need(open("data.path=" + directory.resolve("small"))).compute());
  }

  /** 360 MB of images for each of two workers. */
  @Test
  void imagesNeedMemoryWhereTheyAreKept() {
    String path = "data.path=" + dataset("large", 64, 19_532);

    long memory = need(open(path, "data.cache=memory")).images();
    assertThat(memory).isEqualTo(3L * 19_532 * 64 * 64 * 3 / 2);
    assertThat(need(open(path, "data.cache=disk")).images()).isZero();
    assertThat(need(open(path, "data.cache=none")).images()).isEqualTo(memory);
    assertThat(need(open(path, "data.cache=none", "data.window=20")).images())
        .isEqualTo(2 * (20 + 16) * 1_000_000L);
    assertThat(
            need(open(path, "data.cache=none", "data.window=20", "data.reshuffle=true")).images())
        .as("two windows however large the share")
        .isEqualTo(2 * (20 + 16) * 1_000_000L);
  }

  @Test
  void imagesAreOnDiskIfTheyDoNotFitInMemoryAndNobodySaidWhere() {
    String path = "data.path=" + dataset("large", 64, 20_000);

    TrainingData free = open(path);
    assertThat(ImagePlacement.of(free, inMemory -> need(inMemory).images() > 0).ssl().caching())
        .isEqualTo(Caching.MEMORY);
    assertThat(ImagePlacement.of(free, inMemory -> false).labelled().get(0).dataset().caching())
        .isEqualTo(new Caching(Cache.DISK, 0));
    TrainingData asked = open(path, "data.cache=memory");
    assertThat(ImagePlacement.of(asked, inMemory -> false)).isSameAs(asked);
  }

  @Test
  void minibatchesInPartsNeedLessMemory() {
    String path = "data.path=" + dataset("a", 64, 100);
    String[] whole = {path, "optimizer.batch-size=64"};

    long atOnce = need(open(whole)).compute();
    long inParts = need(open(with(whole, "optimizer.accumulate=8"))).compute();

    long gradients = 30_000_000 / 3;
    assertThat(inParts - gradients).isLessThan(atOnce / 2);
  }

  @Test
  void aMaskRatioThatFallsNeedsTheMemoryOfItsLowest() {
    String path = "data.path=" + dataset("a", 32, 100);
    String[] mix = {path, "pipeline=mix", "epochs={ssl = 20, sl = 20}", "optimizer.batch-size=64"};

    MemoryNeed constant = need(open(with(mix, "mix.mask-ratio=constant(0.75)")));
    MemoryNeed falling = need(open(with(mix, "mix.mask-ratio=\"linear(0.75->0)\"")));

    assertThat(falling.compute()).isGreaterThan(constant.compute());
  }

  private static String[] with(String[] settings, String one) {
    List<String> all = new ArrayList<>(List.of(settings));
    all.add(one);
    return all.toArray(String[]::new);
  }

  @Test
  void aComparisonTakesWhatTheLargestOfItsRunsNeeds() throws IOException {
    Path file = directory.resolve("compare.conf");
    Files.writeString(
        file,
        """
        mixtraining.compare {
          baseline = a
          fractions = [0.5, 1]
          datasets { small { data.path = "%s" }, large { data.path = "%s" } }
          arms { a { pipeline = sl }, b { pipeline = mix, workers.count = 4 } }
        }
        """
            .formatted(dataset("small", 16, 100), dataset("large", 64, 5000)));
    Comparison comparison = Comparison.load(Optional.of(file), List.of());

    ResourcePlan plan = PlannedWork.resources(HADOOP, comparison.largest(), 2);

    assertThat(comparison.largest()).hasSize(4).allMatch(run -> run.data().fraction() == 1);
    assertThat(plan.workers().count()).isEqualTo(4);
    assertThat(plan.need().orElseThrow().executor().compute())
        .isEqualTo(
            comparison.runs().stream()
                .map(run -> PlannedWork.resources(HADOOP, run.config(), 2))
                .mapToLong(one -> one.need().orElseThrow().executor().compute())
                .max()
                .orElseThrow());
  }

  /** conf/paper says of mix-long that it takes the compute of ssl-sl. */
  @Test
  void theLongMixOfThePaperTakesTheFlopsOfTheBaseline() {
    Path path = dataset("cifar10", 32, 5000);
    Comparison paper =
        Comparison.load(
            Optional.of(Path.of("conf/paper/single-task.conf")),
            List.of(
                "mixtraining.compare.datasets.cifar10.data.path=" + path, "compare.fractions=[1]"));

    assertThat(flops(paper, "mix-long") / flops(paper, "ssl-sl")).isCloseTo(1, within(0.01));
  }

  private static double flops(Comparison comparison, String arm) {
    return comparison.runs().stream()
        .filter(run -> run.setting().dataset().equals("cifar10") && run.arm().equals(arm))
        .findFirst()
        .map(run -> PlannedWork.flops(HADOOP, run.config()).orElseThrow().training())
        .orElseThrow();
  }
}
