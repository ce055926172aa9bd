package org.mixtraining.data.prepare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.DataConfig.Cache;
import org.mixtraining.config.DataConfig.Caching;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.ImageBytes;
import org.mixtraining.data.ImageSet;
import org.mixtraining.data.RawFiles;
import org.mixtraining.data.Shards;
import org.mixtraining.data.Split;
import org.mixtraining.data.prepare.Prepare.Existing;

/**
 * The same 60 files in shards as pixels, and as the files that they came in where these are
 * smaller: smooth JPEGs and PNGs are, photographs of noise are not.
 */
class StorageTest {
  private static final int SIDE = 32;
  private static final int IMAGES = 60;

  @TempDir static Path directory;

  private static SparkSession spark;
  private static DataConfig raw;
  private static DataConfig smaller;
  private static DatasetManifest ofPixels;
  private static DatasetManifest ofFiles;

  @BeforeAll
  static void prepare() throws IOException {
    spark = RawFiles.spark();
    for (int i = 0; i < IMAGES; i++) {
      Path place = Files.createDirectories(directory.resolve("raw/class" + i % 2));
      String name = (10 + i) + (i % 3 == 0 ? ".png" : ".jpg");
      Files.write(place.resolve(name), file(i));
    }
    raw = config("raw");
    smaller = config("smaller");
    ofPixels = Prepare.run(spark, raw, Existing.REFUSE, line -> {});
    ofFiles = Prepare.run(spark, smaller, Existing.REFUSE, line -> {});
  }

  private static byte[] file(int i) {
    return switch (i % 3) {
      case 0 -> ImageBytes.png(40 + i, 50, i);
      case 1 -> ImageBytes.jpeg(70, 40 + i, i);
      default -> noise(i);
    };
  }

  private static byte[] noise(int seed) {
    var image = new BufferedImage(90, 90, BufferedImage.TYPE_INT_RGB);
    var random = new SplittableRandom(seed);
    IntStream.range(0, 90 * 90).forEach(p -> image.setRGB(p % 90, p / 90, random.nextInt()));
    return ImageBytes.encoded(image, "jpeg");
  }

  private static DataConfig config(String storage) {
    return RawFiles.configured(
        "folder",
        directory,
        "data.path=" + directory.resolve("of-" + storage),
        "data.storage=" + storage,
        "data.image-size=" + SIDE,
        "data.shards=2");
  }

  private static ImageSet read(DataConfig data, DatasetManifest manifest, Cache cache) {
    return new Shards(
            new Configuration(), data.path(), manifest, Split.TRAIN, new Caching(cache, 1))
        .read(new int[] {0, 1}, 1);
  }

  @Test
  void whatIsKeptIsTheSmaller() {
    var images = spark.read().parquet(smaller.path() + "/images");

    assertThat(images.where("file is null").count()).isEqualTo(IMAGES / 3);
    assertThat(images.where("pixels is null").count()).isEqualTo(2 * IMAGES / 3);
    assertThat(images.where("length(file) >= %s".formatted(3 * SIDE * SIDE)).count()).isZero();
    assertThat(images.where("file is null and source like '%.png'").count()).isZero();
    assertThat(ofFiles.bytes()).isLessThan(ofPixels.bytes());
    assertThat(spark.read().parquet(raw.path() + "/images").columns()).doesNotContain("file");
  }

  @Test
  void theContentIsTheSame() {
    assertThat(ofFiles.fingerprint()).isEqualTo(ofPixels.fingerprint());
    assertThat(ofFiles.normalization()).isEqualTo(ofPixels.normalization());
    assertThat(ofFiles.splits()).isEqualTo(ofPixels.splits());
  }

  @ParameterizedTest
  @EnumSource(Cache.class)
  void everyImageHasTheSamePixelsWhereverItIsKept(Cache cache) {
    ImageSet expected = read(raw, ofPixels, Cache.MEMORY);
    ImageSet images = read(smaller, ofFiles, cache);

    assertThat(images.size()).isEqualTo(expected.size()).isGreaterThan(IMAGES / 2);
    for (int i : IntStream.range(0, images.size()).map(k -> images.size() - 1 - k).toArray()) {
      assertThat(pixels(images, i)).as("image %s", i).isEqualTo(pixels(expected, i));
    }
  }

  private static byte[] pixels(ImageSet images, int i) {
    var pixels = new byte[images.imageBytes()];
    images.read(i, pixels);
    return pixels;
  }

  @Test
  void theMeanIsThatOfTheTrainingImages() {
    ImageSet images = read(raw, ofPixels, Cache.MEMORY);
    double[] sums = new double[3];
    for (int i = 0; i < images.size(); i++) {
      byte[] pixels = pixels(images, i);
      for (int p = 0; p < pixels.length; p++) {
        sums[p / (SIDE * SIDE)] += (pixels[p] & 0xFF) / 255.0 / images.size() / (SIDE * SIDE);
      }
    }
    List<Double> mean = ofFiles.normalization().mean();
    assertThat(mean).hasSize(3);
    Arrays.setAll(sums, c -> sums[c] - mean.get(c));
    assertThat(sums).containsOnly(new double[] {0, 0, 0}, within(1e-9));
  }

  @Test
  void aFileThatWasDamagedSinceIsNamed() {
    var damaged =
        spark
            .read()
            .parquet(smaller.path() + "/images")
            .selectExpr(
                "id",
                "pixels",
                "substring(file, 1, 20) AS file",
                "label",
                "quantile",
                "split",
                "shard");
    damaged.write().partitionBy("split", "shard").parquet(directory + "/damaged/images");

    assertThatThrownBy(
            () ->
                new Shards(
                        new Configuration(),
                        directory + "/damaged",
                        ofFiles,
                        Split.TRAIN,
                        Caching.MEMORY)
                    .read(new int[] {0, 1}, 1))
        .hasStackTraceContaining("its file in the shard was damaged since it was prepared");
  }
}
