package org.mixtraining.data;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.spark.sql.SparkSession;
import org.mixtraining.config.JobConfig;

/** What the tests of this package prepare datasets with: raw files, keys, a Spark session. */
final class RawFiles {
  static final int PIXELS = 3072;

  private RawFiles() {}

  /** The session that all test classes share. */
  static SparkSession spark() {
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
    spark.sparkContext().setLogLevel("ERROR");
    return spark;
  }

  /** Keys for a CIFAR-10 directory {@code raw}, shards in {@code prepared} of the same parent. */
  static JobConfig.Data keys(String format, Path directory, int shards, double validation) {
    return keys(format, directory, "prepared", "fine", shards, validation, 1);
  }

  static JobConfig.Data keys(
      String format,
      Path directory,
      String prepared,
      String label,
      int shards,
      double validation,
      long seed) {
    return new JobConfig.Data(
        format,
        directory.resolve("raw").toString(),
        directory.resolve(prepared).toString(),
        "",
        List.of(),
        label,
        shards,
        validation,
        seed,
        1,
        1,
        false,
        new JobConfig.Synthetic(200, 50));
  }

  /** A CIFAR-10 record of random pixels that belong to {@code number}. */
  static byte[] cifar10(int label, int number) {
    return record(number, label);
  }

  /** A CIFAR-100 record of random pixels that belong to {@code number}. */
  static byte[] cifar100(int coarse, int fine, int number) {
    return record(number, coarse, fine);
  }

  static byte[] pixels(int number) {
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
  static Path write(Path directory, String name, byte[]... records) throws IOException {
    var out = new ByteArrayOutputStream();
    for (byte[] record : records) {
      out.writeBytes(record);
    }
    Files.createDirectories(directory.resolve("raw"));
    return Files.write(directory.resolve("raw").resolve(name), out.toByteArray());
  }

  /**
   * A CIFAR-10 directory: {@code train} training images over two files and {@code test} test
   * images, labels 0, 1, … 9, 0, …; the pixels of image id i are {@code pixels(i)}.
   */
  static void cifar10(Path directory, int train, int test) throws IOException {
    write(directory, "data_batch_2.bin", records(0, train / 3));
    write(directory, "data_batch_10.bin", records(train / 3, train));
    write(directory, "test_batch.bin", records(train, train + test));
  }

  private static byte[][] records(int from, int to) {
    return IntStream.range(from, to).mapToObj(i -> cifar10(i % 10, i)).toArray(byte[][]::new);
  }
}
