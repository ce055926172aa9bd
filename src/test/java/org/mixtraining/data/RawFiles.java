package org.mixtraining.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.images.RawImage;
import org.mixtraining.data.sources.Source;

/** What the tests of this package prepare datasets with: raw files, keys, a Spark session. */
public final class RawFiles {
  public static final int PIXELS = 3072;
  private static final Configuration HADOOP = new Configuration();

  /** Height and width of {@link #grey} images. */
  public static final int GREY_SIDE = 8;

  private RawFiles() {}

  /** The session that all test classes share. */
  public static SparkSession spark() {
    var spark =
        SparkSession.builder()
            .master("local[2, 2]") // as the tests of other packages, which may find it running
            .appName("data tests")
            .config("spark.ui.enabled", false)
            .config("spark.sql.shuffle.partitions", 2)
            // compiling each query takes longer than interpreting it on so few images
            .config("spark.sql.codegen.wholeStage", false)
            .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
            .getOrCreate();
    spark.sparkContext().setLogLevel("OFF");
    return spark;
  }

  /** Keys for a CIFAR-10 directory {@code raw}, shards in {@code prepared} of the same parent. */
  public static DataConfig keys(String format, Path directory, int shards, double validation) {
    return keys(format, directory, "prepared", "fine", shards, validation, 1);
  }

  public static DataConfig keys(
      String format,
      Path directory,
      String prepared,
      String label,
      int shards,
      double validation,
      long seed) {
    return configured(
        format,
        directory,
        "data.path=" + directory.resolve(prepared),
        "data.label=" + label,
        "data.image-size=32",
        "data.shards=" + shards,
        "data.validation=" + validation,
        "data.seed=" + seed,
        "data.synthetic={train = 200, test = 50}");
  }

  /** Tiny ImageNet of two classes: three training images, two val images. */
  public static void tinyImageNet(Path directory) throws IOException {
    text(directory, "wnids.txt", "n01\nn02\n");
    text(directory, "words.txt", "n00\tshark\nn01\tgoldfish, Carassius auratus\n");
    text(directory, "val/val_annotations.txt", "val_0.JPEG\tn02\t0\t32\nval_1.JPEG\tn01\t1\t2\n");
    text(directory, "train/n01/n01_boxes.txt", "no image");
    for (var image :
        List.of(
            "train/n01/images/n01_0.JPEG",
            "train/n01/images/n01_1.JPEG",
            "train/n02/images/n02_0.JPEG",
            "val/images/val_0.JPEG",
            "val/images/val_1.JPEG")) {
      write(directory, image, ImageBytes.jpeg(64, 64, image.hashCode()));
    }
  }

  public static void text(Path directory, String name, String text) throws IOException {
    write(directory, name, text.getBytes(StandardCharsets.UTF_8));
  }

  /** An IDX directory; image i, from the first of the training images on, is {@code grey(i)}. */
  public static void idx(Path directory, int train, int test) throws IOException {
    write(directory, "train-images-idx3-ubyte", idxImages(0, train));
    write(directory, "train-labels-idx1-ubyte", idxLabels(0, train));
    write(directory, "t10k-images-idx3-ubyte", idxImages(train, train + test));
    write(directory, "t10k-labels-idx1-ubyte", idxLabels(train, train + test));
  }

  public static byte[] idxImages(int from, int to) {
    var file =
        ByteBuffer.allocate(16 + (to - from) * GREY_SIDE * GREY_SIDE)
            .putInt(0x803)
            .putInt(to - from)
            .putInt(GREY_SIDE)
            .putInt(GREY_SIDE);
    IntStream.range(from, to).forEach(i -> file.put(grey(i)));
    return file.array();
  }

  /** Labels 0, 1, 2, 0, … */
  static byte[] idxLabels(int from, int to) {
    var file = ByteBuffer.allocate(8 + to - from).putInt(0x801).putInt(to - from);
    IntStream.range(from, to).forEach(i -> file.put((byte) (i % 3)));
    return file.array();
  }

  /** Random pixels of a grey image that belong to {@code number}. */
  public static byte[] grey(int number) {
    return Arrays.copyOf(pixels(number), GREY_SIDE * GREY_SIDE);
  }

  public static byte[] gzip(byte[] bytes) throws IOException {
    var out = new ByteArrayOutputStream();
    try (var gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    }
    return out.toByteArray();
  }

  /** Keys as a user gives them, for a directory {@code raw} and shards in {@code prepared}. */
  public static DataConfig configured(String format, Path directory, String... overrides) {
    var settings =
        new ArrayList<>(
            List.of(
                "data.format=" + format,
                "data.source=" + directory.resolve("raw"),
                "data.path=" + directory.resolve("prepared"),
                "data.shards=2",
                "data.validation=0",
                "workers.count=1"));
    settings.addAll(List.of(overrides));
    return JobConfig.load(Optional.empty(), settings).data();
  }

  /** All images of a source, in order. */
  public static List<RawImage> read(DataConfig data) throws IOException {
    var images = new ArrayList<RawImage>();
    for (var piece : Source.open(data, spark()).pieces()) {
      int before = images.size();
      try (var read = piece.read(HADOOP)) {
        read.forEach(images::add);
      }
      assertThat(images.size() - before).as("images of %s", piece).isEqualTo(piece.images());
    }
    return images;
  }

  /** The reasons of the images that cannot be used, by what they came from. */
  public static Map<String, String> reasons(List<RawImage> images) {
    return images.stream()
        .filter(RawImage.Unusable.class::isInstance)
        .map(RawImage.Unusable.class::cast)
        .collect(Collectors.toMap(RawImage.Unusable::source, RawImage.Unusable::reason));
  }

  /** A CIFAR-10 record of random pixels that belong to {@code number}. */
  public static byte[] cifar10(int label, int number) {
    return record(number, label);
  }

  /** A CIFAR-100 record of random pixels that belong to {@code number}. */
  public static byte[] cifar100(int coarse, int fine, int number) {
    return record(number, coarse, fine);
  }

  public static byte[] pixels(int number) {
    var pixels = new byte[PIXELS];
    new Random(number).nextBytes(pixels);
    return pixels;
  }

  private static byte[] record(int number, int... labels) {
    var out = new ByteArrayOutputStream();
    for (int label : labels) {
      out.write(label);
    }
    out.writeBytes(pixels(number));
    return out.toByteArray();
  }

  /** Writes records to a file of the raw directory. */
  public static Path write(Path directory, String name, byte[]... records) throws IOException {
    var out = new ByteArrayOutputStream();
    for (byte[] record : records) {
      out.writeBytes(record);
    }
    var file = directory.resolve("raw").resolve(name);
    Files.createDirectories(file.getParent());
    return Files.write(file, out.toByteArray());
  }

  /**
   * A CIFAR-10 directory: {@code train} training images over two files and {@code test} test
   * images, labels 0, 1, … 9, 0, …; the pixels of image id i are {@code pixels(i)}.
   */
  public static void cifar10(Path directory, int train, int test) throws IOException {
    write(directory, "data_batch_2.bin", records(0, train / 3));
    write(directory, "data_batch_10.bin", records(train / 3, train));
    write(directory, "test_batch.bin", records(train, train + test));
  }

  private static byte[][] records(int from, int to) {
    return IntStream.range(from, to).mapToObj(i -> cifar10(i % 10, i)).toArray(byte[][]::new);
  }
}
