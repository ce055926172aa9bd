package org.mixtraining.data.prepare;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;

import java.util.ArrayList;
import java.util.Locale;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.mixtraining.config.UserException;

/**
 * The quarantine: a table beside the shards of the source's images that cannot be used, one row per
 * image: id, split (as the source has it), label (null if unknown), source, reason.
 */
final class Quarantine {
  private static final int SHOWN = 5;

  private Quarantine() {}

  /**
   * Writes the table.
   *
   * @param decoded what {@link Decoding} made of the source
   * @param most share of the images that may be unusable
   * @return how many are
   * @throws UserException if there are more
   */
  static long write(Dataset<Row> decoded, double most, Path to) {
    var counts = decoded.agg(count(lit(1)), count("reason")).first();
    long all = counts.getLong(0);
    long bad = counts.getLong(1);
    var unusable = decoded.where("reason is not null");
    if (bad > most * all || bad == all) {
      throw tooMany(unusable, bad, all, most);
    }
    unusable
        .select(col("id"), col("origin").as("split"), col("label"), col("source"), col("reason"))
        .coalesce(1)
        .sortWithinPartitions("id")
        .write()
        .parquet(to.toString());
    return bad;
  }

  private static UserException tooMany(Dataset<Row> unusable, long bad, long all, double most) {
    var problems = new ArrayList<String>();
    problems.add(
        String.format(
            Locale.ROOT,
            "mixtraining.data.max-bad-fraction = %s: of %d images, %d (%.2f %%) cannot be used; nothing was written: repair, convert or remove them, or raise the share",
            most,
            all,
            bad,
            100.0 * bad / all));
    for (Row row : unusable.orderBy("id").limit(SHOWN).collectAsList()) {
      problems.add(
          "mixtraining.data.source: %s: %s"
              .formatted(
                  row.<String>getAs("source").replaceAll("\\p{Cntrl}", "?"),
                  row.<String>getAs("reason")));
    }
    if (bad > SHOWN) {
      problems.add("mixtraining.data.source: and %s more".formatted(bad - SHOWN));
    }
    return new UserException(problems);
  }
}
