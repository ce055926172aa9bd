package org.mixtraining.ml;

import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.StructType;
import org.mixtraining.data.RawFiles;

/** Tables of small drawn images, and an estimator that learns them in seconds. */
final class Photos {
  static final List<String> NAMES = List.of("blue", "green", "red");
  private static final int SIDE = 16;

  private Photos() {}

  /** A PNG file, mostly of the colour of its class. */
  static byte[] png(int number) {
    var random = new SplittableRandom(number);
    var image = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < SIDE * SIDE; i++) {
      float hue = (2 - label(number)) / 3f + (float) random.nextDouble(-0.1, 0.1);
      image.setRGB(
          i % SIDE, i / SIDE, Color.HSBtoRGB(hue, 0.9f, (float) random.nextDouble(0.3, 1)));
    }
    try {
      var file = new ByteArrayOutputStream();
      ImageIO.write(image, "png", file);
      return file.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static int label(int number) {
    return number % NAMES.size();
  }

  /** A table in one partition, so that its rows have an order. */
  static Dataset<Row> table(String columns, List<Row> rows) {
    return RawFiles.spark().createDataFrame(rows, StructType.fromDDL(columns)).coalesce(1);
  }

  /** Images as files, with a path and labels as doubles. */
  static Dataset<Row> files(int count) {
    return table(
        "path STRING, image BINARY, label DOUBLE",
        rows(count, i -> new Object[] {i + ".png", png(i), (double) label(i)}));
  }

  static List<Row> rows(int count, java.util.function.IntFunction<Object[]> row) {
    return new ArrayList<>(
        IntStream.range(0, count).mapToObj(i -> RowFactory.create(row.apply(i))).toList());
  }

  /** An estimator of seconds, whose runs are below a directory. */
  static MixTrainingClassifier classifier(Path directory) {
    var classifier = new MixTrainingClassifier();
    settings(directory)
        .forEach(
            setting ->
                classifier.setKey(
                    setting.substring(0, setting.indexOf('=')),
                    setting.substring(setting.indexOf('=') + 1)));
    return classifier;
  }

  /** Its settings. */
  static List<String> settings(Path directory) {
    return List.of(
        "run.output=" + directory.resolve("runs"),
        "data.image-size=16",
        "data.shards=2",
        "model.preset=vit-nano",
        "model.patch=8",
        "model.decoder.depth=1",
        "epochs.ssl=2",
        "epochs.sl=4",
        "optimizer.batch-size=16",
        "optimizer.warmup=0",
        "tracking.tensorboard=false");
  }
}
