package org.mixtraining.data.prepare;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.expr;
import static org.apache.spark.sql.functions.sum;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.mixtraining.data.Normalization;
import org.mixtraining.data.images.Picture;

/** Statistics of the images for the manifest, of what is measured on each as it is decoded. */
final class Measures {
  private static final int IDS_PER_BLOCK = 4096;

  private Measures() {}

  /** SHA-256 of an image's id, label and pixels, in hexadecimal. */
  static String digest(long id, int label, Picture picture) {
    var digest = DigestUtils.getSha256Digest();
    digest.update("%s %s ".formatted(id, label).getBytes(StandardCharsets.US_ASCII));
    return HexFormat.of().formatHex(digest.digest(picture.pixels()));
  }

  /** Per channel the sum of the pixels, then of their squares; last the pixels of a channel. */
  static long[] sums(Picture picture) {
    int channels = picture.channels();
    int plane = picture.height() * picture.width();
    var sums = new long[2 * channels + 1];
    for (int i = 0; i < picture.pixels().length; i++) {
      long value = picture.pixels()[i] & 0xFF;
      sums[i / plane] += value;
      sums[channels + i / plane] += value * value;
    }
    sums[2 * channels] = plane;
    return sums;
  }

  /**
   * Mean and standard deviation, from exact integer sums.
   *
   * @param images with the column sums
   */
  static Normalization normalization(Dataset<Row> images, int channels) {
    var columns =
        IntStream.rangeClosed(0, 2 * channels)
            .mapToObj(i -> sum(col("sums").getItem(i)))
            .toArray(Column[]::new);
    Row total = images.select(columns).first();
    double pixels = total.getLong(2 * channels);
    var mean = new ArrayList<Double>();
    var std = new ArrayList<Double>();
    for (int c = 0; c < channels; c++) {
      double m = total.getLong(c) / pixels;
      double variance = total.getLong(channels + c) / pixels - m * m;
      mean.add(m / 255);
      // a channel of one value must not be divided by 0
      std.add(Math.max(1, Math.sqrt(Math.max(0, variance))) / 255);
    }
    return new Normalization(mean, std);
  }

  /**
   * SHA-256 over the digests of all images in order of their ids, by way of blocks of ids, so that
   * the driver sees one hash a block.
   *
   * @param images with the columns id and digest
   */
  static String fingerprint(Dataset<Row> images) {
    List<Row> blocks =
        images
            .groupBy(col("id").divide(IDS_PER_BLOCK).cast("bigint").as("block"))
            .agg(
                expr(
                    "sha2(array_join(array_sort(collect_list(struct(id, digest))).digest, ''), 256)"))
            .collectAsList()
            .stream()
            .sorted(Comparator.comparingLong(block -> block.getLong(0)))
            .toList();
    var digest = DigestUtils.getSha256Digest();
    for (Row block : blocks) {
      digest.update(block.getString(1).getBytes(StandardCharsets.US_ASCII));
    }
    return HexFormat.of().formatHex(digest.digest());
  }
}
