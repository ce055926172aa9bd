package org.mixtraining.data;

import static org.apache.parquet.filter2.predicate.FilterApi.doubleColumn;
import static org.apache.parquet.filter2.predicate.FilterApi.in;
import static org.apache.parquet.filter2.predicate.FilterApi.longColumn;
import static org.apache.parquet.filter2.predicate.FilterApi.lt;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.filter2.compat.FilterCompat;
import org.apache.parquet.filter2.predicate.FilterPredicate;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.api.ReadSupport;
import org.apache.parquet.hadoop.example.GroupReadSupport;
import org.mixtraining.config.Location;
import org.mixtraining.config.UserException;

/**
 * Reader of a split's image shards that does not need Spark, for use inside Spark tasks.
 *
 * @param path directory of the dataset
 */
public record Shards(Configuration hadoop, String path, DatasetManifest manifest, Split split) {
  private static final String ENTRY =
      "message m { optional int64 id; optional int32 label; optional double quantile; }";
  private static final String PIXELS =
      "message m { optional int64 id; optional binary pixels; optional double quantile; }";

  private record Entry(long id, int label, double quantile) {}

  /**
   * The images of some shards, in order of their ids.
   *
   * @param shards shard numbers from 0 to {@code manifest.shards() - 1}
   * @param fraction share of the split to read, in (0, 1]: the images with a quantile below it
   * @return no image at all for a split that is empty, as without {@code data.validation}
   * @throws UserException if a shard is missing
   */
  public ImageSet read(int[] shards, double fraction) {
    FilterPredicate first = lt(doubleColumn("quantile"), fraction);
    return read(shards, first, entry -> true);
  }

  /**
   * The same for the first images of each class.
   *
   * @param first how many of each class of the whole split, by class index
   */
  public ImageSet read(int[] shards, List<Long> first) {
    List<Long> all = manifest.splits().get(split).histogram();
    double[] shares = new double[all.size()];
    Arrays.setAll(shares, c -> (double) first.get(c) / Math.max(1, all.get(c)));
    FilterPredicate any = lt(doubleColumn("quantile"), Arrays.stream(shares).max().orElse(0));
    return read(shards, any, entry -> entry.quantile() < shares[entry.label()]);
  }

  /**
   * The images of a split with some ids, in order of these; an id that the split does not have is
   * left out.
   *
   * @throws UserException if a shard is missing
   */
  public ImageSet find(Set<Long> ids) {
    int[] shards = IntStream.range(0, ids.isEmpty() ? 0 : manifest.shards()).toArray();
    // Parquet wants some values, in a set that can be asked for null.
    FilterPredicate wanted =
        ids.isEmpty()
            ? lt(doubleColumn("quantile"), 0.0)
            : in(longColumn("id"), new HashSet<>(ids));
    return read(shards, wanted, entry -> true);
  }

  private ImageSet read(int[] shards, FilterPredicate wanted, Predicate<Entry> kept) {
    try {
      var files = new ArrayList<Path>();
      for (int shard : manifest.images(split) > 0 ? shards : new int[] {}) {
        files.addAll(files(shard));
      }
      var entries = new ArrayList<Entry>();
      scan(
          files,
          ENTRY,
          wanted,
          row ->
              entries.add(
                  new Entry(
                      row.getLong("id", 0),
                      row.getInteger("label", 0),
                      row.getDouble("quantile", 0))));
      entries.removeIf(kept.negate());
      entries.sort(Comparator.comparingLong(Entry::id));
      long[] ids = entries.stream().mapToLong(Entry::id).toArray();
      var images =
          new ImageSet(
              ids,
              entries.stream().mapToInt(Entry::label).toArray(),
              entries.stream().mapToDouble(Entry::quantile).toArray(),
              manifest.channels(),
              manifest.height(),
              manifest.width());
      scan(
          files,
          PIXELS,
          wanted,
          row -> {
            int at = Arrays.binarySearch(ids, row.getLong("id", 0));
            if (at >= 0) {
              images.put(at, row.getBinary("pixels", 0).toByteBuffer());
            }
          });
      return images;
    } catch (IOException e) {
      throw refused(e);
    }
  }

  private static RuntimeException refused(IOException e) {
    return String.valueOf(e.getMessage()).contains("ermission denied")
        ? new UserException("mixtraining.data.path: cannot be read: " + e.getMessage())
        : new UncheckedIOException(e);
  }

  private List<Path> files(int shard) throws IOException {
    var directory =
        new Path(Location.path(path), "images/split=%s/shard=%s".formatted(split.key(), shard));
    var files = new ArrayList<Path>();
    try {
      for (var status : directory.getFileSystem(hadoop).listStatus(directory)) {
        if (status.getPath().getName().endsWith(".parquet")) {
          files.add(status.getPath());
        }
      }
    } catch (FileNotFoundException e) {
      // the same as an empty directory
    }
    if (files.isEmpty()) {
      throw new UserException(
          "mixtraining.data.path: shard %s of the %s split is missing at %s; restore it, or prepare the images again in another mixtraining.data.path"
              .formatted(shard, split.key(), directory));
    }
    return files;
  }

  private void scan(List<Path> files, String columns, FilterPredicate wanted, Consumer<Group> row)
      throws IOException {
    var projected = new Configuration(hadoop);
    projected.set(ReadSupport.PARQUET_READ_SCHEMA, columns);
    for (Path file : files) {
      try (var reader =
          ParquetReader.builder(new GroupReadSupport(), file)
              .withConf(projected)
              .withFilter(FilterCompat.get(wanted))
              .build()) {
        for (Group group = reader.read(); group != null; group = reader.read()) {
          row.accept(group);
        }
      }
    }
  }
}
