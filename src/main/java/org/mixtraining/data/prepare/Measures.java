package org.mixtraining.data.prepare;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.expr;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.mixtraining.data.Normalization;
import org.mixtraining.data.Split;

/** Statistics of the images for the manifest, measured on the shards as written. */
final class Measures {
  private static final int IDS_PER_BLOCK = 4096;

  private Measures() {}

  /** Mean and standard deviation of the train split, from exact integer sums. */
  static Normalization normalization(Dataset<Row> images, int channels) {
    List<long[]> parts =
        images
            .where(col("split").equalTo(Split.TRAIN.key()))
            .select("pixels")
            .mapPartitions(
                (MapPartitionsFunction<Row, long[]>) rows -> sums(rows, channels),
                Encoders.javaSerialization(long[].class))
            .collectAsList();
    var total = new long[2 * channels + 1];
    for (long[] part : parts) {
      Arrays.setAll(total, i -> total[i] + part[i]);
    }
    double pixels = total[2 * channels];
    var mean = new ArrayList<Double>();
    var std = new ArrayList<Double>();
    for (int c = 0; c < channels; c++) {
      double m = total[c] / pixels;
      double variance = total[channels + c] / pixels - m * m;
      mean.add(m / 255);
      // a channel of one value must not be divided by 0
      std.add(Math.max(1, Math.sqrt(Math.max(0, variance))) / 255);
    }
    return new Normalization(mean, std);
  }

  /** Per channel the sum of the pixels, then of their squares; last the pixels of a channel. */
  private static Iterator<long[]> sums(Iterator<Row> rows, int channels) {
    var sums = new long[2 * channels + 1];
    while (rows.hasNext()) {
      byte[] pixels = rows.next().getAs(0);
      int plane = pixels.length / channels;
      for (int i = 0; i < pixels.length; i++) {
        long value = pixels[i] & 0xFF;
        sums[i / plane] += value;
        sums[channels + i / plane] += value * value;
      }
      sums[2 * channels] += plane;
    }
    return Collections.singleton(sums).iterator();
  }

  /**
   * SHA-256 over the SHA-256s of all images (id, label, pixels) in order of their ids, by way of
   * blocks of ids, so that the driver sees one hash a block.
   */
  static String fingerprint(Dataset<Row> images) {
    var blocks =
        images
            .selectExpr(
                "id",
                "sha2(concat(cast(concat(id, ' ', label, ' ') AS BINARY), pixels), 256) AS hash")
            .groupBy(col("id").divide(IDS_PER_BLOCK).cast("bigint").as("block"))
            .agg(expr("sha2(array_join(array_sort(collect_list(struct(id, hash))).hash, ''), 256)"))
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
