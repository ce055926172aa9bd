package org.mixtraining.data.prepare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.ImageBytes;
import org.mixtraining.data.RawFiles;
import org.mixtraining.data.Shards;
import org.mixtraining.data.Split;
import org.mixtraining.data.prepare.Prepare.Existing;

/** Each thing that can be wrong with the input: what is said, and that nothing is left behind. */
class PrepareErrorsTest {
  private static SparkSession spark;

  @TempDir Path directory;

  @BeforeAll
  static void start() {
    spark = RawFiles.spark();
  }

  private String failure(DataConfig data) throws IOException {
    var problem =
        catchThrowableOfType(
            UserException.class, () -> Prepare.run(spark, data, Existing.REFUSE, line -> {}));
    assertThat(problem).isNotNull();
    assertThat(problem.problems()).hasSize(1);
    assertThat(problem.getMessage()).doesNotContain("\n");
    try (var left = Files.list(directory)) {
      assertThat(left.map(file -> file.getFileName().toString()))
          .as("nothing is left behind")
          .isSubsetOf("raw");
    }
    return problem.getMessage();
  }

  private String failure() throws IOException {
    return failure(RawFiles.keys("cifar10", directory, 1, 0));
  }

  @Test
  void aSourceWithoutTrainingImagesIsRefused() throws IOException {
    RawFiles.write(directory, "train/cat/a.png", new byte[0]);
    RawFiles.write(directory, "test/cat/b.png", ImageBytes.png(8, 8, 1));

    assertThat(failure(RawFiles.configured("folder", directory, "data.max-bad-fraction=1")))
        .isEqualTo(
            "mixtraining.data.source: has no usable training images, only 1 test images; nothing was written");
  }

  @Test
  void aMissingDirectoryIsNamed() throws IOException {
    assertThat(failure())
        .isEqualTo(
            "mixtraining.data.source: %s/raw is not a directory; expected one with the CIFAR-10 files data_batch_*.bin and test_batch.bin"
                .formatted(directory));
  }

  @Test
  void aDirectoryOfOtherFilesIsToldWhatIsExpectedAndWhatIsThere() throws IOException {
    RawFiles.write(directory, "train.bin", RawFiles.cifar100(1, 2, 3));
    assertThat(failure())
        .isEqualTo(
            "mixtraining.data.source: no data_batch_*.bin in file:%s/raw; expected one with the CIFAR-10 files data_batch_*.bin and test_batch.bin, found [train.bin]"
                .formatted(directory));
  }

  @Test
  void aMissingTestFileIsNamed() throws IOException {
    RawFiles.write(directory, "data_batch_1.bin", RawFiles.cifar10(1, 2));
    assertThat(failure()).startsWith("mixtraining.data.source: no test_batch.bin in ");
  }

  @Test
  void aTruncatedFileNamesItsByteOffset() throws IOException {
    RawFiles.cifar10(directory, 30, 10);
    RawFiles.write(directory, "data_batch_1.bin", RawFiles.cifar10(1, 2), new byte[100]);
    assertThat(failure())
        .startsWith("mixtraining.data.source: ")
        .endsWith(
            "/raw/data_batch_1.bin has 3173 bytes, no multiple of the 3073 bytes of a CIFAR-10 record: the record at byte 3073 is incomplete (100 bytes)");
  }

  @Test
  void anEmptyFileIsNamed() throws IOException {
    RawFiles.cifar10(directory, 30, 10);
    RawFiles.write(directory, "test_batch.bin");
    assertThat(failure())
        .endsWith("/raw/test_batch.bin is empty; expected CIFAR-10 records of 3073 bytes");
  }

  @Test
  void aLabelOutOfRangeNamesItsRecordAndByte() throws IOException {
    RawFiles.cifar10(directory, 30, 10);
    RawFiles.write(directory, "data_batch_3.bin", RawFiles.cifar10(9, 1), RawFiles.cifar10(200, 2));
    assertThat(failure())
        .startsWith("mixtraining.data.source: ")
        .endsWith("/raw/data_batch_3.bin, record 1, byte 3073: label is 200, allowed 0 to 9");
  }

  @Test
  void aFineLabelOutOfRangeIsToldEvenWhenTheCoarseOneIsTrainedOn() throws IOException {
    RawFiles.write(directory, "train.bin", RawFiles.cifar100(19, 99, 1));
    RawFiles.write(directory, "test.bin", RawFiles.cifar100(0, 0, 2), RawFiles.cifar100(1, 100, 3));
    assertThat(failure(RawFiles.keys("cifar100", directory, "prepared", "coarse", 1, 0, 1)))
        .endsWith("/raw/test.bin, record 1, byte 3075: fine label is 100, allowed 0 to 99");
  }

  @Test
  void aListOfNamesThatDoesNotFitTheClassesIsTold() throws IOException {
    RawFiles.cifar10(directory, 30, 10);
    Files.writeString(directory.resolve("raw/batches.meta.txt"), "cat\ndog\n");
    assertThat(failure())
        .endsWith("/raw/batches.meta.txt has 2 class names, expected 10, one a line");
  }

  @Test
  void aValidationShareThatHoldsNothingOutIsTold() throws IOException {
    RawFiles.cifar10(directory, 40, 10);
    assertThat(failure(RawFiles.keys("cifar10", directory, 1, 0.1)))
        .isEqualTo(
            "mixtraining.data.validation = 0.1: too small to hold out an image of any class, of which the largest has 4 training images; allowed: 0, or at least 0.125");
  }

  @Test
  void moreShardsThanImagesAreTold() throws IOException {
    RawFiles.cifar10(directory, 40, 10);
    assertThat(failure(RawFiles.keys("cifar10", directory, 41, 0)))
        .isEqualTo(
            "mixtraining.data.shards = 41: a shard of the train split, which has 40 images, would be empty; allowed: 1 to 40");
  }

  @Test
  void anExistingDatasetIsKeptUnlessItMayBeReplaced() throws IOException {
    RawFiles.cifar10(directory, 40, 10);
    var data = RawFiles.keys("cifar10", directory, 1, 0);
    Prepare.run(spark, data, Existing.REFUSE, line -> {});
    assertThatThrownBy(() -> Prepare.run(spark, data, Existing.REFUSE, line -> {}))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "mixtraining.data.path: a dataset already exists at %s; --force replaces it"
                .formatted(data.path()));

    var bad = RawFiles.keys("cifar10", directory, 61, 0);
    assertThatThrownBy(() -> Prepare.run(spark, bad, Existing.REPLACE, line -> {}))
        .hasMessageContaining("data.shards");
    var hadoop = new Configuration();
    assertThat(DatasetManifest.read(hadoop, data.path()).images(Split.TRAIN)).isEqualTo(40);

    RawFiles.cifar10(directory, 60, 10);
    Prepare.run(spark, data, Existing.REPLACE, line -> {});
    var manifest = DatasetManifest.read(hadoop, data.path());
    assertThat(manifest.images(Split.TRAIN)).isEqualTo(60);
    var images = new Shards(hadoop, data.path(), manifest, Split.TRAIN).read(new int[] {0}, 1);
    assertThat(images.size()).isEqualTo(60);
    try (var left = Files.list(directory)) {
      assertThat(left).hasSize(2);
    }
  }

  @Test
  void aDirectoryThatIsNoDatasetIsNeverReplaced() throws IOException {
    RawFiles.cifar10(directory, 40, 10);
    var precious = Files.createDirectory(directory.resolve("precious"));
    Files.writeString(precious.resolve("thesis.txt"), "");
    var keys = RawFiles.keys("cifar10", directory, "precious", "fine", 1, 0, 1);
    assertThatThrownBy(() -> Prepare.run(spark, keys, Existing.REPLACE, line -> {}))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("is not a prepared dataset");
    assertThat(precious.resolve("thesis.txt")).exists();

    var raw = RawFiles.keys("cifar10", directory, "raw", "fine", 1, 0, 1);
    assertThatThrownBy(() -> Prepare.run(spark, raw, Existing.REPLACE, line -> {}))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("is inside mixtraining.data.source = " + raw.raw().source());
    assertThat(directory.resolve("raw/test_batch.bin")).exists();
  }

  @Test
  void readingWhatWasNeverPreparedNamesTheCommand() throws IOException {
    var hadoop = new Configuration();
    var path = directory.resolve("nothing").toString();
    assertThatThrownBy(() -> DatasetManifest.read(hadoop, path))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "mixtraining.data.path: no prepared dataset at %s (%s/dataset.json is missing); run the command prepare"
                .formatted(path, path));
  }
}
