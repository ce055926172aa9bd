package org.mixtraining.data;

import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;
import org.mixtraining.schedule.Seed;

/** A {@link Source} as Spark tables; a task reads a piece of it. */
final class RawTables {
  private static final StructType LABELS =
      StructType.fromDDL("id BIGINT, origin STRING, label INT, hash BIGINT");
  private static final StructType IMAGES =
      StructType.fromDDL(
          "id BIGINT, source STRING, fine INT, coarse INT, height INT, width INT, channels INT, pixels BINARY");

  private final SparkSession spark;
  private final Source source;
  private final SerializableConfiguration hadoop;

  RawTables(SparkSession spark, Source source, Configuration hadoop) {
    this.spark = spark;
    this.source = source;
    this.hadoop = new SerializableConfiguration(hadoop);
  }

  /** Label, original split and place-giving hash of every image. */
  Dataset<Row> labels(long seed) {
    return table(
        LABELS,
        (source, piece, hadoop) ->
            source
                .labels(piece, hadoop)
                .map(
                    image ->
                        RowFactory.create(
                            image.id(),
                            piece.split().key(),
                            image.label(),
                            Seed.SPLIT.hash(seed, image.id()))));
  }

  /** Pixels of every image, and all that is known of it besides its label. */
  Dataset<Row> images() {
    var table =
        table(
            IMAGES,
            (source, piece, hadoop) ->
                source
                    .images(piece, hadoop)
                    .map(
                        image ->
                            RowFactory.create(
                                image.id(),
                                image.origin(),
                                image.fine(),
                                image.coarse(),
                                Source.SIZE,
                                Source.SIZE,
                                Source.CHANNELS,
                                image.pixels())));
    return source.labelKind().equals("label") ? table.drop("fine", "coarse") : table;
  }

  private interface Rows extends Serializable {
    Stream<Row> of(Source source, Source.Piece piece, Configuration hadoop) throws IOException;
  }

  private Dataset<Row> table(StructType schema, Rows rows) {
    Source source = this.source;
    SerializableConfiguration hadoop = this.hadoop;
    List<Integer> pieces = IntStream.range(0, source.pieces().size()).boxed().toList();
    var rdd =
        JavaSparkContext.fromSparkContext(spark.sparkContext())
            .parallelize(pieces, pieces.size())
            .flatMap(i -> rows.of(source, source.pieces().get(i), hadoop.value()).iterator());
    return spark.createDataFrame(rdd, schema);
  }
}
