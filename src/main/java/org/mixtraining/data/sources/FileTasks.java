package org.mixtraining.data.sources;

import java.io.IOException;
import java.io.Serializable;
import java.util.Collections;
import java.util.List;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.SerializableConfiguration;
import org.mixtraining.config.Location;
import org.mixtraining.config.UserException;
import org.mixtraining.data.Notes;

/**
 * Spark tasks that list directories or read the headers of files, for which an object store takes
 * its time: if they are more than Spark itself would list on the driver.
 *
 * @param spark null within a task
 */
record FileTasks(SparkSession spark) {
  private static final String MANY = "spark.sql.sources.parallelPartitionDiscovery.threshold";
  private static final int TASKS_A_CORE = 8;

  /** A function of one of many files or directories below a root. */
  interface Reader<T, R> extends Serializable {
    R read(Listing there, T of) throws IOException;
  }

  /**
   * What a task read.
   *
   * @param notes about skipped files
   */
  record Read<R>(R result, Notes notes) implements Serializable {}

  /**
   * What a function makes of each, in their order. Null for one that could not be read, so that the
   * driver's own try says why, and for all if they are few.
   */
  <T, R> List<Read<R>> read(Path root, List<T> of, Reader<T, R> reader) {
    if (spark == null || of.size() <= Integer.parseInt(spark.conf().get(MANY))) {
      return Collections.nCopies(of.size(), null);
    }
    var context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    var hadoop = new SerializableConfiguration(context.hadoopConfiguration());
    return context
        .parallelize(of, Math.min(of.size(), TASKS_A_CORE * context.defaultParallelism()))
        .map(one -> read(one, reader, root, hadoop))
        .collect();
  }

  private static <T, R> Read<R> read(
      T one, Reader<T, R> reader, Path root, SerializableConfiguration hadoop) {
    try {
      var fs = Location.fileSystem(root, hadoop.value());
      var there = new Listing(fs, root, new FileTasks(null));
      return new Read<>(reader.read(there, one), there.notes());
    } catch (IOException | UserException e) { // said by the driver
      return null;
    }
  }
}
