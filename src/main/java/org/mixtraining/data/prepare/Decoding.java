package org.mixtraining.data.prepare;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.SerializableConfiguration;
import org.apache.spark.util.TaskCompletionListener;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.DataConfig.Preparation.Storage;
import org.mixtraining.config.Location;
import org.mixtraining.config.UserException;
import org.mixtraining.data.Minibatch;
import org.mixtraining.data.Split;
import org.mixtraining.data.images.RawImage;
import org.mixtraining.data.sources.Piece;
import org.mixtraining.data.sources.Source;
import org.mixtraining.schedule.Seed;

/**
 * The Spark jobs that read a source once, one task per piece: every image becomes a row with pixels
 * of the same size, or with the reason why it cannot be used. Each job writes a directory, which is
 * kept where the process is killed: then the same source need not be read again as far as it was.
 */
public final class Decoding {
  private static final StructType SCHEMA =
      StructType.fromDDL(
          "id BIGINT, origin STRING, source STRING, label INT, hash BIGINT, fine INT, coarse INT,"
              + " height INT, width INT, channels INT, pixels BINARY, file BINARY, digest STRING,"
              + " sums ARRAY<BIGINT>, reason STRING");

  /** Pieces of a job by core: a killed process has that much to read again. */
  private static final int PIECES = 8;

  private Decoding() {}

  /** A piece, and the id of its first image. */
  private record Numbered(long firstId, Piece piece) implements Serializable {}

  /**
   * Decodes all images.
   *
   * @param to directory of the tables that are written, since each image is decoded once but looked
   *     at several times; it may hold some already
   * @param progress told a line every few seconds, and at the end
   * @return the table: id, origin (the split in the source), source, label, hash (its position in
   *     the seeded order), fine, coarse, height, width, channels, pixels or file, what {@link
   *     Measures} adds up, reason
   */
  static Dataset<Row> run(
      SparkSession spark, Source source, DataConfig data, Path to, Consumer<String> progress)
      throws IOException {
    return run(spark, source, data, to, progress, PIECES);
  }

  /**
   * The same.
   *
   * @param most pieces of a job on a single core
   */
  static Dataset<Row> run(
      SparkSession spark,
      Source source,
      DataConfig data,
      Path to,
      Consumer<String> progress,
      int most)
      throws IOException {
    var context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    var hadoop = new SerializableConfiguration(context.hadoopConfiguration());
    var pieces = new ArrayList<Numbered>();
    long next = 0;
    for (var piece : source.pieces()) {
      pieces.add(new Numbered(next, piece));
      next += piece.images();
    }
    var work = DecodedParts.of(source, data, to, hadoop.value());
    var done = context.sc().longAccumulator("images decoded");
    long before = work.pieces().stream().mapToLong(p -> source.pieces().get(p).images()).sum();
    if (before > 0) {
      done.add(before);
      progress.accept(
          "continues an interrupted prepare: %s images are already decoded".formatted(before));
    }
    try (var told = new DecodingProgress(done, source.images(), progress)) {
      for (var part : work.missing(most * context.defaultParallelism())) {
        var own = pieces.subList(part.from(), part.to());
        var rows =
            context.parallelize(own, own.size()).flatMap(piece -> rows(piece, data, hadoop, done));
        spark
            .createDataFrame(rows, SCHEMA)
            .write()
            .options(Prepare.IN_ROW_GROUPS)
            .parquet(work.path(part).toString());
      }
      told.finish();
    }
    return spark
        .read()
        .options(Location.LITERALLY)
        .schema(SCHEMA)
        .parquet(work.paths().toArray(String[]::new));
  }

  private static Iterator<Row> rows(
      Numbered numbered, DataConfig data, SerializableConfiguration hadoop, LongAccumulator done)
      throws IOException {
    var piece = numbered.piece();
    var images = opened(piece, hadoop.value());
    TaskContext.get().addTaskCompletionListener((TaskCompletionListener) task -> images.close());
    var id = new AtomicLong(numbered.firstId());
    return images
        .map(
            image -> {
              done.add(1);
              return row(id.getAndIncrement(), piece.split(), image, data);
            })
        .iterator();
  }

  public static Stream<RawImage> opened(Piece piece, Configuration hadoop) throws IOException {
    try {
      return piece.read(hadoop);
    } catch (FileNotFoundException e) { // deleted meanwhile, or not readable by this user
      throw new UserException("mixtraining.data.source: cannot be read: " + e.getMessage());
    }
  }

  private static Row row(long id, Split split, RawImage image, DataConfig data) {
    long hash = Seed.SPLIT.hash(data.preparation().seed(), id);
    if (image instanceof RawImage.Usable usable) {
      var picture = usable.picture().scaled(data.preparation().imageSize());
      int label = Math.max(Minibatch.UNLABELLED, image.label());
      boolean asFile =
          data.preparation().storage() == Storage.SMALLER
              && usable.file() != null
              && usable.file().length < picture.pixels().length;
      return RowFactory.create(
          id,
          split.key(),
          image.source(),
          label,
          hash,
          usable.fine(),
          usable.coarse(),
          picture.height(),
          picture.width(),
          picture.channels(),
          asFile ? null : picture.pixels(),
          asFile ? usable.file() : null,
          Measures.digest(id, label, picture),
          Measures.sums(picture),
          null);
    }
    var reason = ((RawImage.Unusable) image).reason();
    var row = new Object[SCHEMA.size()];
    row[0] = id;
    row[1] = split.key();
    row[2] = image.source();
    row[3] = image.label() < 0 ? null : image.label();
    row[4] = hash;
    row[row.length - 1] = reason;
    return RowFactory.create(row);
  }
}
