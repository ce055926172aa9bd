package org.mixtraining.data;

import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.util.SerializableConfiguration;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.Location;
import org.mixtraining.config.UserException;

/**
 * A prepared dataset as tasks see it: they read its shards themselves, through Hadoop's FileSystem,
 * so no image ever passes through the driver.
 *
 * @param path directory of the shards
 * @param manifest its manifest
 * @param hadoop how to reach it
 * @param caching where tasks keep its images, and how many they shuffle among each other
 */
public record PreparedDataset(
    String path,
    DatasetManifest manifest,
    SerializableConfiguration hadoop,
    DataConfig.Caching caching)
    implements Serializable {

  /**
   * The dataset at a path.
   *
   * @param key the configuration key that names the path
   * @throws UserException if there is none, or if it has fewer shards than there are workers
   */
  public static PreparedDataset open(
      Configuration hadoop, String key, String given, int workers, DataConfig.Caching caching) {
    String path = qualified(key, given, hadoop);
    DatasetManifest manifest = DatasetManifest.read(hadoop, key, path);
    if (manifest.shards() < workers) {
      throw new UserException(
          "mixtraining.workers.count = %s: each worker needs a shard of its own, and %s has only %s; lower it, or prepare again with a larger mixtraining.data.shards"
              .formatted(workers, path, manifest.shards()));
    }
    return new PreparedDataset(path, manifest, new SerializableConfiguration(hadoop), caching);
  }

  /** The same dataset, kept elsewhere. */
  public PreparedDataset in(DataConfig.Cache cache) {
    return new PreparedDataset(path, manifest, hadoop, caching.in(cache));
  }

  /** An executor's working directory is not the driver's: a relative path means the driver's. */
  private static String qualified(String key, String path, Configuration hadoop) {
    try {
      Path given = Location.path(path);
      return given.getFileSystem(hadoop).makeQualified(given).toString();
    } catch (IOException e) {
      throw new UserException("%s = %s: %s".formatted(key, path, e.getMessage()));
    }
  }

  /** All images of a split, for one of the workers, who each take some of them. */
  public ImageSet all(Split split, double fraction, int worker) {
    return shards(split, shards(0, 1), fraction, worker);
  }

  /** The images of one part of a split, of {@code parts}: every parts-th shard. */
  public ImageSet part(Split split, int part, int parts, double fraction) {
    return shards(split, shards(part, parts), fraction, part);
  }

  /**
   * One part of the images that a run judges its model on, of {@code parts}.
   *
   * @param labelled share of the training images that it knows the labels of
   */
  public ImageSet heldOut(Split split, int part, int parts, double labelled) {
    List<Integer> shards = shards(part, parts);
    return ImageCache.get(
        key(split, shards, labelled, part),
        () -> shards(split).read(numbers(shards), manifest.heldOut(split, labelled)));
  }

  private List<Integer> shards(int part, int parts) {
    return IntStream.range(0, manifest.shards()).filter(s -> s % parts == part).boxed().toList();
  }

  private Shards shards(Split split) {
    return new Shards(hadoop.value(), path, manifest, split, caching);
  }

  private static int[] numbers(List<Integer> shards) {
    return shards.stream().mapToInt(Integer::intValue).toArray();
  }

  /** The images of some shards of a split, for one of the workers. */
  public ImageSet shards(Split split, List<Integer> shards, double fraction, int worker) {
    return ImageCache.get(
        key(split, shards, fraction, worker), () -> shards(split).read(numbers(shards), fraction));
  }

  /** Workers of a process share what is kept, but not the window that each has reached. */
  private ImageCache.Key key(Split split, List<Integer> shards, double fraction, int worker) {
    int reader = caching.cache() == DataConfig.Cache.NONE ? worker : 0;
    return new ImageCache.Key(
        path, manifest.fingerprint(), split, shards, fraction, caching, reader);
  }
}
