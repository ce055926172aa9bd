package org.mixtraining.data;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat_ws;

import org.mixtraining.config.Location;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.BinaryType;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;
import org.apache.spark.util.TaskCompletionListener;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;

/**
 * The images under a path, whatever they are kept in: a directory of JPEG and PNG files at any
 * depth, or one such file; an IDX file of images; a Parquet table with a column {@code image}
 * (Hugging Face's {@code struct<bytes, path>}, or binary) or {@code content} (of Spark's format
 * binaryFile). They are read in Spark tasks.
 */
public final class Inputs {
  private static final Pattern IDX = Pattern.compile(".*images[-.]idx3-ubyte(\\.gz)?");
  private static final String TABLE = ".parquet";
  private static final int DEEPEST = 20;

  private final JobConfig.Data data;
  private final Input.Form form;
  private final SparkSession spark;
  private final Configuration hadoop;

  private Inputs(SparkSession spark, JobConfig.Data data, Input.Form form) {
    this.spark = spark;
    this.data = data;
    this.form = form;
    this.hadoop = spark.sparkContext().hadoopConfiguration();
  }

  /**
   * Every image under a path, usable or not, in order of the names; hidden names (. and _) apart.
   *
   * @param data {@code max-pixels} of it counts
   * @throws UserException if there is no image, or the path holds something else
   */
  public static JavaRDD<Input> read(
      SparkSession spark, String path, JobConfig.Data data, Input.Form form) {
    try {
      return new Inputs(spark, data, form).read(path);
    } catch (FileNotFoundException e) {
      throw new UserException("%s: there is nothing of that name".formatted(path));
    } catch (IOException | IllegalArgumentException e) { // the latter: no path at all
      throw new UserException("%s: cannot be read: %s".formatted(path, e.getMessage()));
    }
  }

  private JavaRDD<Input> read(String given) throws IOException {
    var path = Location.path(given);
    var fs = Listing.fileSystem(path, hadoop);
    var status = fs.getFileStatus(path);
    if (status.isDirectory()) {
      var listing = new Listing(fs, fs.makeQualified(path));
      var files = new ArrayList<ImageFiles.Labelled>();
      list(listing, "", 0, files);
      if (files.stream().anyMatch(file -> file.path().endsWith(TABLE))) {
        return table(given);
      }
      return pieces(given, ImageFiles.cut(Split.TEST, listing, files, form.decoder()));
    } else if (path.getName().endsWith(TABLE)) {
      return table(given);
    } else if (IDX.matcher(path.getName()).matches()) {
      return pieces(given, Idx.unlabelled(fs.makeQualified(path), data, hadoop));
    }
    var listing = new Listing(fs, fs.makeQualified(path).getParent());
    var file = new ImageFiles.Labelled(path.getName(), RawImage.TO_PREDICT, status.getLen());
    return pieces(given, ImageFiles.cut(Split.TEST, listing, List.of(file), form.decoder()));
  }

  private static void list(
      Listing listing, String below, int depth, List<ImageFiles.Labelled> files)
      throws IOException {
    if (depth > DEEPEST) {
      throw new UserException(
          String.format(
              Locale.ROOT,
              "%s: more than %d directories within each other",
              listing.path(below),
              DEEPEST));
    }
    var prefix = below.isEmpty() ? "" : below + "/";
    for (var file : listing.files(below)) {
      files.add(new ImageFiles.Labelled(prefix + file.name(), RawImage.TO_PREDICT, file.bytes()));
    }
    for (var directory : listing.directories(below)) {
      list(listing, prefix + directory, depth + 1, files);
    }
  }

  private JavaRDD<Input> pieces(String path, List<Piece> pieces) {
    if (pieces.isEmpty()) {
      throw new UserException("%s: there is no image".formatted(path));
    }
    var configuration = new SerializableConfiguration(hadoop);
    Input.Form wanted = form;
    return JavaSparkContext.fromSparkContext(spark.sparkContext())
        .parallelize(pieces, pieces.size())
        .flatMap(piece -> inputs(piece, configuration, wanted));
  }

  private static Iterator<Input> inputs(
      Piece piece, SerializableConfiguration hadoop, Input.Form form) throws IOException {
    var images = piece.read(hadoop.value());
    TaskContext.get().addTaskCompletionListener((TaskCompletionListener) task -> images.close());
    return images.map(form::of).iterator();
  }

  private JavaRDD<Input> table(String path) {
    var table = spark.read().options(Location.LITERALLY).parquet(Location.path(path).toString());
    Column place = concat_ws("#", col("_metadata.file_name"), col("_metadata.row_index"));
    var columns = Arrays.asList(table.columns());
    var named = columns.contains("image") ? "image" : "content";
    var type = columns.contains(named) ? table.schema().apply(named).dataType() : null;
    Column bytes;
    Column name;
    if (type instanceof StructType struct && Arrays.asList(struct.fieldNames()).contains("bytes")) {
      bytes = col(named + ".bytes");
      boolean known = Arrays.asList(struct.fieldNames()).contains("path");
      name = known ? coalesce(col(named + ".path"), place) : place;
    } else if (type instanceof BinaryType) {
      bytes = col(named);
      name = columns.contains("path") ? coalesce(col("path"), place) : place;
    } else {
      throw new UserException(
          "%s: has the columns %s; expected image: struct<bytes: binary, path: string>, image: binary, or content: binary"
              .formatted(path, table.schema().toDDL()));
    }
    Input.Form wanted = form;
    return table
        .select(name.as("name"), bytes.as("bytes"))
        .toJavaRDD()
        .map(row -> wanted.decode(row.getString(0), row.isNullAt(1) ? null : row.getAs(1)));
  }
}
