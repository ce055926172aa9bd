package org.mixtraining.data.prepare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.DatasetManifest.Contents;
import org.mixtraining.data.ImageBytes;
import org.mixtraining.data.ImageSet;
import org.mixtraining.data.Minibatches;
import org.mixtraining.data.Note;
import org.mixtraining.data.Parquet;
import org.mixtraining.data.RawFiles;
import org.mixtraining.data.Shards;
import org.mixtraining.data.Split;
import org.mixtraining.data.prepare.Prepare.Existing;
import org.mixtraining.data.sources.Source;

class PrepareTest {
  private static final Configuration HADOOP = new Configuration();
  private static SparkSession spark;

  /** 230 training and 20 test images, of which most tests look at one dataset. */
  @TempDir static Path common;

  private static DataConfig data;
  private static DatasetManifest manifest;

  @TempDir Path directory;

  @BeforeAll
  static void prepareTheCommonDataset() throws IOException {
    spark = RawFiles.spark();
    RawFiles.cifar10(common, 230, 20);
    Files.writeString(
        common.resolve("raw/batches.meta.txt"),
        "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n");
    data = RawFiles.keys("cifar10", common, 4, 0.1);
    manifest = prepare(data);
  }

  private static DatasetManifest prepare(DataConfig data) {
    return Prepare.run(spark, data, Existing.REFUSE, line -> {});
  }

  private static ImageSet read(
      DataConfig data, DatasetManifest manifest, Split split, double fraction) {
    int[] shards = IntStream.range(0, manifest.shards()).toArray();
    return new Shards(HADOOP, data.path(), manifest, split).read(shards, fraction);
  }

  private static Set<Long> ids(ImageSet images) {
    var ids = new HashSet<Long>();
    IntStream.range(0, images.size()).forEach(i -> ids.add(images.id(i)));
    return ids;
  }

  private static Map<Integer, Integer> histogram(ImageSet images) {
    var counts = new HashMap<Integer, Integer>();
    IntStream.range(0, images.size()).forEach(i -> counts.merge(images.label(i), 1, Integer::sum));
    return counts;
  }

  /** 100 drawings of 150 kB in a shard, of 90 kB when they are compressed. */
  @Test
  void rowGroupsHaveAboutEightMegabytes() throws IOException {
    var large =
        RawFiles.configured(
            "synthetic",
            directory,
            "data.source=",
            "data.image-size=224",
            "data.shards=1",
            "data.synthetic={train = 100, test = 10}");
    prepare(large);

    var shard = directory.resolve("prepared/images/split=train/shard=0");
    List<Long> sizes = new ArrayList<>();
    try (var files = Files.list(shard)) {
      for (var file : files.filter(f -> f.toString().endsWith(".parquet")).toList()) {
        try (var reader =
            ParquetFileReader.open(HADOOP, new org.apache.hadoop.fs.Path(file.toUri()))) {
          reader.getRowGroups().forEach(group -> sizes.add(group.getCompressedSize()));
        }
      }
    }
    assertThat(sizes).hasSize(2);
    assertThat(sizes).allMatch(bytes -> bytes < 9_000_000);
  }

  /** More shards than a hash of them would spread evenly. */
  @Test
  void everyTaskWritesOneShard() {
    var wide =
        RawFiles.configured(
            "synthetic",
            directory,
            "data.source=",
            "data.shards=16",
            "data.validation=0.4",
            "data.synthetic={train = 100, test = 40}");
    prepare(wide);

    var tasks =
        spark
            .read()
            .parquet(directory.resolve("prepared/images").toString())
            .selectExpr(
                "split", "shard", "regexp_extract(input_file_name(), 'part-(\\\\d+)', 1) task")
            .distinct();
    assertThat(tasks.count()).isEqualTo(3 * 16);
    assertThat(tasks.select("task").distinct().count()).isEqualTo(3 * 16);
  }

  @Test
  void officialFilesThatAreNotThereAndOthersThatAreAreNamed() {
    assertThat(manifest.notes())
        .containsExactly(
            new Note(
                "official files that are missing",
                4,
                List.of(
                    "data_batch_1.bin",
                    "data_batch_3.bin",
                    "data_batch_4.bin",
                    "data_batch_5.bin")));
    assertThat(manifest.describe()).contains("\nofficial files that are missing: 4 (data_batch_1");
  }

  @Test
  void everyPixelAndLabelOfCifar10ComesBack() {
    var seen = new HashSet<Long>();
    for (Split split : Split.values()) {
      var images = read(data, manifest, split, 1);
      assertThat(images.size()).isEqualTo((int) manifest.images(split));
      for (int i = 0; i < images.size(); i++) {
        var pixels = new byte[RawFiles.PIXELS];
        images.read(i, pixels);
        assertThat(pixels).isEqualTo(RawFiles.pixels((int) images.id(i)));
        assertThat(images.label(i)).isEqualTo((int) images.id(i) % 10);
        assertThat(images.id(i) >= 230).isEqualTo(split == Split.TEST);
        assertThat(seen.add(images.id(i))).as("in one split only").isTrue();
      }
    }
    assertThat(seen).hasSize(250);
    // of 23 images of a class, round(2.3) are held out
    assertThat(manifest.splits().get(Split.TRAIN).histogram()).hasSize(10).containsOnly(21L);
    assertThat(manifest.splits().get(Split.VALIDATION).histogram()).containsOnly(2L);
    assertThat(manifest.splits().get(Split.TEST).histogram()).containsOnly(2L);
    assertThat(DatasetManifest.read(HADOOP, data.path())).isEqualTo(manifest);
  }

  @Test
  void theShardsAreATableWithTheOriginOfEachImage() throws IOException {
    var table = spark.read().parquet(data.path() + "/images");
    assertThat(table.columns())
        .containsExactly(
            "id",
            "source",
            "height",
            "width",
            "channels",
            "pixels",
            "label",
            "quantile",
            "split",
            "shard");
    // the first file, data_batch_2.bin, has 76 images
    var row = table.where("id = 83").select("source", "height", "width", "channels").first();
    assertThat(row).hasToString("[data_batch_10.bin#7,32,32,3]");
    for (Split split : Split.values()) {
      for (int shard = 0; shard < manifest.shards(); shard++) {
        var files = Path.of(data.path(), "images", "split=" + split.key(), "shard=" + shard);
        try (var listed = Files.list(files)) {
          assertThat(listed.filter(file -> file.toString().endsWith(".parquet"))).hasSize(1);
        }
      }
    }
  }

  @Test
  void fractionsAreNestedStratifiedAndSeeded() {
    var smaller = new HashSet<Long>();
    for (double fraction : new double[] {0.1, 0.25, 0.5, 1}) {
      var images = read(data, manifest, Split.TRAIN, fraction);
      assertThat(ids(images)).containsAll(smaller);
      smaller.addAll(ids(images));
      for (int c = 0; c < 10; c++) {
        assertThat((double) histogram(images).get(c)).isCloseTo(21 * fraction, within(0.5));
      }
    }
    var otherSeed = RawFiles.keys("cifar10", common, "other-seed", "fine", 1, 0.1, 2);
    var other = prepare(otherSeed);
    assertThat(ids(read(otherSeed, other, Split.TRAIN, 0.25)))
        .isNotEqualTo(ids(read(data, manifest, Split.TRAIN, 0.25)));
    assertThat(ids(read(otherSeed, other, Split.VALIDATION, 1)))
        .isNotEqualTo(ids(read(data, manifest, Split.VALIDATION, 1)));
  }

  @Test
  void everyFractionFillsTheShardsEvenly() {
    for (double fraction : new double[] {0.05, 0.1, 0.3, 0.7, 1}) {
      var sizes = IntStream.range(0, 4).map(s -> shard(s, fraction).size()).summaryStatistics();
      assertThat(sizes.getMax() - sizes.getMin()).isLessThanOrEqualTo(1);
      assertThat(sizes.getMin()).isPositive();
      for (int label = 0; label < manifest.classCount(); label++) {
        int own = label;
        var ofClass =
            IntStream.range(0, 4).map(s -> images(shard(s, fraction), own)).summaryStatistics();
        assertThat(ofClass.getMax() - ofClass.getMin()).isLessThanOrEqualTo(1);
      }
    }
  }

  @Test
  void shardsOfBeforeAreOtherDataForARunOfSeveralWorkers() throws IOException {
    var json = new ObjectMapper().readTree(manifest.json());
    ((ObjectNode) json).remove("dealing");
    Files.writeString(directory.resolve("dataset.json"), json.toString());
    var old = DatasetManifest.read(HADOOP, directory.toString());

    assertThat(old.identity().keySet()).doesNotContain("dealing");
    assertThat(manifest.identity())
        .containsEntry("dealing", "1")
        .containsAllEntriesOf(old.identity());
  }

  private static int images(ImageSet set, int label) {
    return (int) IntStream.range(0, set.size()).filter(i -> set.label(i) == label).count();
  }

  private static ImageSet shard(int shard, double fraction) {
    return new Shards(HADOOP, data.path(), manifest, Split.TRAIN).read(new int[] {shard}, fraction);
  }

  @Test
  void whatAWorkerReadsDoesNotDependOnHowManyShardsThereAre() {
    var oneShard = RawFiles.keys("cifar10", common, "one-shard", "fine", 1, 0.1, 1);
    var other = prepare(oneShard);
    assertThat(other.fingerprint()).isEqualTo(manifest.fingerprint());
    assertThat(other.normalization()).isEqualTo(manifest.normalization());
    var many = read(data, manifest, Split.TRAIN, 0.5);
    var one = read(oneShard, other, Split.TRAIN, 0.5);
    assertThat(one.size()).isEqualTo(many.size());
    for (int i = 0; i < one.size(); i++) {
      assertThat(one.id(i)).isEqualTo(many.id(i));
      assertThat(one.quantile(i)).isEqualTo(many.quantile(i));
    }
  }

  @Test
  void oneFlippedBitChangesTheFingerprint() throws IOException {
    RawFiles.cifar10(directory, 230, 20);
    var file = directory.resolve("raw/data_batch_10.bin");
    byte[] bytes = Files.readAllBytes(file);
    bytes[5000] ^= 1;
    Files.write(file, bytes);
    var flipped = prepare(RawFiles.keys("cifar10", directory, 4, 0.1));
    assertThat(flipped.fingerprint()).matches("[0-9a-f]{64}").isNotEqualTo(manifest.fingerprint());
  }

  @Test
  void theDescriptionShowsTheHistogramAndTheFingerprint() {
    assertThat(manifest.describe())
        .contains("cifar10 by label: 10 classes, 3 x 32 x 32, 4 shards a split")
        .containsPattern("\ncat +21 +2 +2\n")
        .containsPattern("\nall +210 +20 +20\n")
        .endsWith("\nfingerprint " + manifest.fingerprint());
  }

  @Test
  void aMissingShardIsNamed() {
    assertThatThrownBy(() -> shard(4, 1))
        .isInstanceOf(UserException.class)
        .hasMessageStartingWith("mixtraining.data.path: shard 4 of the train split is missing at ")
        .hasMessageContaining("restore it");
  }

  @Test
  void meanAndDeviationAreThoseOfTheTrainingPixels() throws IOException {
    var record = new byte[1 + RawFiles.PIXELS];
    for (int i = 0; i < 1024; i++) {
      record[1 + i] = (byte) (i % 2 == 0 ? 255 : 0);
      record[1 + 1024 + i] = (byte) 51;
      record[1 + 2048 + i] = (byte) (i % 2 == 0 ? 102 : 153);
    }
    RawFiles.write(directory, "data_batch_1.bin", record, record);
    RawFiles.write(directory, "test_batch.bin", RawFiles.cifar10(0, 1));
    var normalization = prepare(RawFiles.keys("cifar10", directory, 1, 0)).normalization();
    assertThat(normalization.mean()).containsExactly(0.5, 0.2, 0.5);
    assertThat(normalization.std().get(0)).isCloseTo(0.5, within(1e-12));
    assertThat(normalization.std().get(1)).as("a constant channel").isEqualTo(1 / 255.0);
    assertThat(normalization.std().get(2)).isCloseTo(0.1, within(1e-12));
  }

  @Test
  void cifar100KeepsBothLabelsAndTrainsOnTheChosenOne() throws IOException {
    var records = new byte[40][];
    for (int i = 0; i < records.length; i++) {
      records[i] = RawFiles.cifar100(i % 20, 99 - i % 20, i);
    }
    RawFiles.write(directory, "train.bin", records);
    RawFiles.write(directory, "test.bin", RawFiles.cifar100(3, 42, 1000));
    Files.writeString(
        directory.resolve("raw/coarse_label_names.txt"),
        String.join("\n", IntStream.range(0, 20).mapToObj(i -> "coarse" + i).toList()) + "\n\n");

    var coarse = RawFiles.keys("cifar100", directory, "coarse", "coarse", 1, 0, 1);
    var coarseManifest = prepare(coarse);
    assertThat(coarseManifest.classCount()).isEqualTo(20);
    assertThat(coarseManifest.classes()).startsWith("coarse0", "coarse1");
    assertThat(coarseManifest.label()).isEqualTo("coarse");
    var test = spark.read().parquet(coarse.path() + "/images").where("split = 'test'");
    assertThat(test.select("label", "fine", "coarse").first()).hasToString("[3,42,3]");
    assertThat(read(coarse, coarseManifest, Split.VALIDATION, 1).size()).isZero();

    var fine = Source.open(RawFiles.keys("cifar100", directory, 1, 0), RawFiles.spark());
    assertThat(fine.classes()).hasSize(100);
    var image = fine.pieces().get(0).read(HADOOP).skip(25).findFirst().orElseThrow();
    assertThat(image.label()).isEqualTo(94);
  }

  @Test
  void imagesWithoutALabelAreTrainedOnAloneAndCountedApart() throws IOException {
    var rows = new ArrayList<Parquet.Row>();
    for (int i = 0; i < 60; i++) {
      rows.add(new Parquet.Row(ImageBytes.png(8, 8, i), null, i % 3 == 2 ? null : i % 3L));
    }
    RawFiles.write(directory, "train.parquet", Parquet.table("", rows.toArray(Parquet.Row[]::new)));
    var keys =
        RawFiles.configured(
            "parquet",
            directory,
            "data.path=" + directory.resolve("prepared"),
            "data.keep-unlabelled=true",
            "data.validation=0.1",
            "data.shards=4",
            "data.image-size=8");
    var made = prepare(keys);

    assertThat(made.splits().get(Split.TRAIN)).isEqualTo(Contents.of(List.of(14L, 14L), 20));
    assertThat(made.splits().get(Split.TEST)).isEqualTo(Contents.of(List.of(4L, 4L), 0));
    assertThat(made.describe())
        .containsPattern("without a label +20 +0 +0\n")
        .containsPattern("all +48 +4 +8\n");
    assertThat(DatasetManifest.read(HADOOP, keys.path())).isEqualTo(made);
    assertThat(made.images(Split.TRAIN, 0.5)).isEqualTo(24);
    assertThat(made.labelled(Split.TRAIN, 0.5)).isEqualTo(14);
    var train = read(keys, made, Split.TRAIN, 1);
    assertThat(histogram(train)).isEqualTo(Map.of(0, 14, 1, 14, -1, 20));
    for (int shard = 0; shard < 4; shard++) {
      var images = new Shards(HADOOP, keys.path(), made, Split.TRAIN).read(new int[] {shard}, 1);
      assertThat(histogram(images)).containsEntry(-1, 5);
    }
    assertThat(Minibatches.evaluation(train, made.normalization(), 1, 64).next().labels())
        .hasSize(28)
        .doesNotContain(-1);
  }

  @Test
  void aSyntheticDatasetIsBalanced() {
    var synthetic = prepare(RawFiles.keys("synthetic", directory, 2, 0.1));
    assertThat(synthetic.classes()).startsWith("disc", "ring").hasSize(10);
    assertThat(synthetic.splits().get(Split.TRAIN).histogram()).hasSize(10).containsOnly(18L);
    assertThat(synthetic.splits().get(Split.TEST).histogram()).containsOnly(5L);
  }

  @Test
  void imagesThatAreManyAreJoinedInPartsOfTheirBytes() {
    Dataset<Row> images = spark.range(0, 1000).selectExpr("id", "id * 7 as pixels");
    Dataset<Row> assigned = spark.range(0, 1000).selectExpr("id", "id % 3 as shard");

    Dataset<Row> few = Prepare.joined(images, assigned, Prepare.FEW_IMAGES, 429_497);
    Dataset<Row> many = Prepare.joined(images, assigned, Prepare.FEW_IMAGES + 1, 429_497);

    assertThat(few.queryExecution().executedPlan().toString())
        .contains("BroadcastHashJoin")
        .doesNotContain("hashpartitioning");
    assertThat(many.queryExecution().executedPlan().toString())
        .contains("hashpartitioning(id", ", 800)")
        .doesNotContain(", 8)");
    assertThat(many.orderBy("id").collectAsList()).isEqualTo(few.orderBy("id").collectAsList());
  }
}
