package org.mixtraining.api;

import static org.apache.spark.sql.functions.col;

import java.io.IOException;
import java.nio.file.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** The manual's example (src/site/markdown/models.md); a test runs it. */
final class ClassifyPhotos {
  private ClassifyPhotos() {}

  /** Takes the file of a model, a photo, and a directory of photos. */
  public static void main(String[] args) throws IOException {
    MixTrainingModel model = MixTrainingModel.load(args[0]);

    // one image
    Classification said = model.predict(Path.of(args[1]));
    System.out.printf("%s: %s, %.0f %%%n", args[1], said.name(), 100 * said.probability());

    // all images of a table, as a function of SQL
    SparkSession spark = SparkSession.builder().master("local[2]").getOrCreate();
    spark.udf().register("classify", model.udf(spark));
    Dataset<Row> photos = spark.read().format("binaryFile").load(args[2]);
    photos
        .selectExpr("path", "classify(content) as said")
        .select(col("path"), col("said.predicted_name"), col("said.probability"), col("said.error"))
        .show(false);
  }
}
