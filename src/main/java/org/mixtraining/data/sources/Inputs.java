package org.mixtraining.data.sources;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.SerializableConfiguration;
import org.apache.spark.util.TaskCompletionListener;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.Location;
import org.mixtraining.config.UserException;
import org.mixtraining.data.Note;
import org.mixtraining.data.Split;
import org.mixtraining.data.images.RawImage;

/**
 * The images to predict under a path: a directory of JPEG and PNG files at any depth, or one such
 * file; an IDX file of images; Parquet tables whose images {@link ImageColumns} finds. They are
 * read in Spark tasks.
 *
 * @param images every one, usable or not, in order of the names
 * @param notes about skipped files
 */
public record Inputs(JavaRDD<Input> images, List<Note> notes) {
  private static final Pattern IDX = Pattern.compile(".*images[-.]idx3-ubyte(\\.gz)?");

  /**
   * Looks at directories and headers; the images are read by whoever uses them.
   *
   * @param data of which {@code max-pixels} and {@code image} are used
   * @throws UserException if there is no image, or the path holds something else
   */
  public static Inputs read(SparkSession spark, String path, DataConfig data, Input.Form form) {
    var hadoop = spark.sparkContext().hadoopConfiguration();
    try {
      var given = Location.path(path);
      var fs = Location.fileSystem(given, hadoop);
      var status = fs.getFileStatus(given);
      var root = fs.makeQualified(given);
      var listing =
          new Listing(fs, status.isDirectory() ? root : root.getParent(), new FileTasks(spark));
      List<Piece> pieces;
      if (status.isDirectory()) {
        pieces = directory(listing, data, form, hadoop);
      } else if (IDX.matcher(root.getName()).matches()) {
        pieces = Idx.unlabelled(root, data, hadoop);
      } else {
        var file = new Listing.Entry(root.getName(), status.getLen());
        pieces =
            ParquetTable.isOne(root.getName())
                ? tables(listing, List.of(file), data, form, hadoop)
                : files(listing, List.of(file), form);
      }
      if (pieces.isEmpty()) {
        throw new UserException("%s: no images found".formatted(path));
      }
      return new Inputs(images(spark, pieces, form), listing.notes().list());
    } catch (FileNotFoundException e) {
      throw new UserException(
          "%s: %s".formatted(path, forbidden(path, hadoop).orElse("no such file or directory")));
    } catch (IOException | IllegalArgumentException e) { // the latter: no path at all
      throw new UserException("%s: cannot be read: %s".formatted(path, e.getMessage()));
    }
  }

  private static Optional<String> forbidden(String path, Configuration hadoop) {
    try {
      var given = Location.path(path);
      return Location.forbidden(Location.fileSystem(given, hadoop), given);
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private static List<Piece> directory(
      Listing listing, DataConfig data, Input.Form form, Configuration hadoop) throws IOException {
    var all = listing.walk();
    var tables = all.stream().filter(file -> ParquetTable.isOne(file.name())).toList();
    if (tables.isEmpty()) {
      return files(listing, listing.images("", all), form);
    }
    var rest = new ArrayList<>(all);
    rest.removeAll(tables);
    listing.note("beside the Parquet tables, skipped", "", rest);
    return tables(listing, tables, data, form, hadoop);
  }

  private static List<Piece> tables(
      Listing listing,
      List<Listing.Entry> tables,
      DataConfig data,
      Input.Form form,
      Configuration hadoop) {
    var pieces = new ArrayList<Piece>();
    for (var table : tables) {
      pieces.addAll(ParquetImages.unlabelled(listing, table.name(), data, form.decoder(), hadoop));
    }
    return pieces;
  }

  private static List<Piece> files(Listing listing, List<Listing.Entry> files, Input.Form form) {
    var images =
        files.stream()
            .map(f -> new ImageFiles.Labelled(f.name(), RawImage.NONE_NEEDED, f.bytes()))
            .toList();
    return ImageFiles.cut(Split.TEST, listing, images, form.decoder());
  }

  private static JavaRDD<Input> images(SparkSession spark, List<Piece> pieces, Input.Form form) {
    var configuration = new SerializableConfiguration(spark.sparkContext().hadoopConfiguration());
    return JavaSparkContext.fromSparkContext(spark.sparkContext())
        .parallelize(pieces, pieces.size())
        .flatMap(piece -> inputs(piece, configuration, form));
  }

  private static Iterator<Input> inputs(
      Piece piece, SerializableConfiguration hadoop, Input.Form form) throws IOException {
    var images = piece.read(hadoop.value());
    TaskContext.get().addTaskCompletionListener((TaskCompletionListener) task -> images.close());
    return images.map(form::of).iterator();
  }
}
