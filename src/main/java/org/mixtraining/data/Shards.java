package org.mixtraining.data;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.TaskContext;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.Location;
import org.mixtraining.config.Secrets;
import org.mixtraining.config.UserException;
import org.mixtraining.data.ImageIndex.Entry;
import org.mixtraining.kernels.WorkerThreads;

/**
 * Reader of a split's image shards that does not need Spark, for use inside Spark tasks.
 *
 * @param path directory of the dataset
 * @param caching where images are kept, and how many are shuffled among each other
 */
public record Shards(
    Configuration hadoop,
    String path,
    DatasetManifest manifest,
    Split split,
    DataConfig.Caching caching) {

  /** Reads all images into memory. */
  public Shards(Configuration hadoop, String path, DatasetManifest manifest, Split split) {
    this(hadoop, path, manifest, split, DataConfig.Caching.MEMORY);
  }

  /**
   * The images of some shards, in order of their ids.
   *
   * @param shards shard numbers from 0 to {@code manifest.shards() - 1}
   * @param fraction share of the split to read, in (0, 1]: the images with a quantile below it
   * @return no image at all for a split that is empty, as without {@code data.validation}
   * @throws UserException if a shard is missing, unless the split has fewer images than shards
   */
  public ImageSet read(int[] shards, double fraction) {
    return read(shards, entry -> entry.quantile() < fraction);
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
    return read(shards, entry -> entry.quantile() < shares[entry.label()]);
  }

  /**
   * The images of a split with some ids, in order of these; an id that the split does not have is
   * left out.
   *
   * @throws UserException if a shard is missing
   */
  public ImageSet find(Set<Long> ids) {
    int[] shards = IntStream.range(0, ids.isEmpty() ? 0 : manifest.shards()).toArray();
    return read(shards, entry -> ids.contains(entry.id()));
  }

  private ImageSet read(int[] shards, Predicate<Entry> kept) {
    try {
      var groups = new ArrayList<RowGroup>();
      for (int shard : manifest.images(split) > 0 ? shards : new int[] {}) {
        for (Path file : files(shard)) {
          groups.addAll(RowGroup.of(hadoop, shard, file));
        }
      }
      var entries = new ArrayList<Entry>();
      var read = new ArrayList<RowGroup>();
      for (RowGroup group : groups) {
        int before = entries.size();
        group.scan(
            hadoop,
            List.of("id", "label", "quantile"),
            row -> {
              var entry =
                  new Entry(
                      row.getLong("id", 0),
                      row.getInteger("label", 0),
                      row.getDouble("quantile", 0),
                      read.size());
              if (kept.test(entry)) {
                entries.add(entry);
              }
            });
        if (entries.size() > before) {
          read.add(group);
        }
      }
      return images(
          ImageIndex.of(entries, manifest.channels(), manifest.height(), manifest.width()), read);
    } catch (IOException e) {
      throw refused(e);
    }
  }

  private ImageSet images(ImageIndex index, List<RowGroup> groups) throws IOException {
    int largest = Arrays.stream(index.sizes(groups.size())).max().orElse(1);
    boolean files = groups.stream().anyMatch(RowGroup::hasFiles);
    long bytes =
        files
            ? groups.stream().mapToLong(RowGroup::imageBytes).max().orElse(1)
            : (long) largest * index.imageBytes();
    if (caching.windowBytes() < bytes) {
      throw new UserException(
          "mixtraining.data.window = %s: must hold a row group of %s, up to %s MB; set at least that, or prepare the images again in another mixtraining.data.path, which makes row groups of 8 MB"
              .formatted(caching.window(), Secrets.inText(path), (bytes + 999_999) / 1_000_000));
    }
    int window = (int) Math.min(caching.windowBytes() / bytes, Integer.MAX_VALUE);
    ImageStore store =
        switch (caching.cache()) {
          case AUTO, MEMORY -> {
            var memory = new MemoryStore(index.size(), index.imageBytes());
            for (RowGroup group : groups) {
              decode(group, index, memory::put);
            }
            yield memory;
          }
          case DISK -> {
            var disk = new DiskStore(DiskStore.directory(), index.size(), index.imageBytes());
            for (RowGroup group : groups) {
              decode(group, index, disk::put);
            }
            yield disk;
          }
          case NONE ->
              new RowGroupStore(
                  index,
                  groups.size(),
                  new RowGroupStore.Room(window, Math.toIntExact(bytes)),
                  (group, to) -> load(groups.get(group), index, to));
        };
    return new ImageSet(index, groups.stream().mapToInt(RowGroup::shard).toArray(), store, window);
  }

  /** Takes the pixels of an image. */
  private interface Decoded {
    void put(int i, ByteBuffer pixels);
  }

  /** Reads the pixels of a row group's images that are in the index, several files at a time. */
  private void decode(RowGroup group, ImageIndex index, Decoded to) {
    var files = new ArrayList<Runnable>();
    load(
        group,
        index,
        (at, image) -> {
          if (image.isFile()) {
            byte[] file = image.copy();
            files.add(
                () -> to.put(at, index.checked(at, ByteBuffer.wrap(index.decoded(at, file)))));
          } else {
            to.put(at, index.checked(at, image.bytes()));
          }
        });
    try (var threads = new WorkerThreads(files.isEmpty() ? 1 : cores())) {
      threads.run(files.size(), (thread, n) -> files.get(n).run());
    }
  }

  /** Cores that the calling task has. */
  private static int cores() {
    var task = TaskContext.get();
    return task == null ? 1 : task.cpus();
  }

  /** Reads a row group's images that are in the index. */
  private void load(RowGroup group, ImageIndex index, RowGroupStore.Images to) {
    try {
      group.images(
          hadoop,
          (id, image) -> {
            int at = index.at(id);
            if (at >= 0) {
              to.put(at, image);
            }
          });
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
    if (files.isEmpty() && manifest.images(split) >= manifest.shards()) {
      throw new UserException(
          "mixtraining.data.path: shard %s of the %s split is missing at %s; restore it, or prepare the images again in another mixtraining.data.path"
              .formatted(shard, split.key(), directory));
    }
    return files;
  }
}
