package org.mixtraining.data;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.commons.lang3.function.Failable;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.mixtraining.config.DataConfig;
import org.mixtraining.config.Location;
import org.mixtraining.config.Secrets;
import org.mixtraining.config.UserException;
import org.mixtraining.schedule.Slice;

/**
 * The manifest of a prepared dataset: {@code dataset.json} beside its shards.
 *
 * @param format the source's format, as {@code data.format} names it
 * @param label which of the source's labels is trained on: {@code fine} or {@code coarse} for
 *     CIFAR-100, else {@code label}
 * @param classes class names by class index
 * @param shards shard count of each split that has images
 * @param dealing how images were assigned to shards: 1 is by {@link Sharding}, 0 by class
 * @param seed {@code data.seed}, which the order of quantiles and the validation split come from
 * @param validation share of the source's training images that was held out
 * @param splits image counts of every split
 * @param quarantined images that could not be used; the table {@code quarantine} lists them
 * @param normalization of the train split
 * @param fingerprint SHA-256 of every image's id, label and pixels; how they are cut into splits
 *     and shards does not change it
 * @param bytes size of all shards
 * @param notes about files of the source that were skipped
 */
public record DatasetManifest(
    String format,
    String label,
    List<String> classes,
    int channels,
    int height,
    int width,
    int shards,
    @JsonSetter(nulls = Nulls.SET) int dealing, // null in files of older versions
    long seed,
    double validation,
    Map<Split, Contents> splits,
    long quarantined,
    Normalization normalization,
    String fingerprint,
    long bytes,
    @JsonSetter(nulls = Nulls.SET) List<Note> notes)
    implements Serializable {
  public static final String FILE = "dataset.json";

  public DatasetManifest {
    notes = notes == null ? List.of() : List.copyOf(notes); // older datasets have none
  }

  /**
   * Images of one split: how many, and how many of each class index and of no known class. Older
   * datasets have none of the latter.
   */
  public record Contents(
      long images,
      List<Long> histogram,
      @JsonSetter(nulls = Nulls.SET) @JsonInclude(JsonInclude.Include.NON_DEFAULT) long unlabelled)
      implements Serializable {
    public static Contents of(List<Long> histogram, long unlabelled) {
      long all = unlabelled + histogram.stream().mapToLong(n -> n).sum();
      return new Contents(all, histogram, unlabelled);
    }
  }

  /** Whether there is a prepared dataset at {@code path}. */
  public static boolean exists(Configuration hadoop, String path) {
    var file = new Path(Location.path(path), FILE);
    return Failable.call(() -> Location.known(file, hadoop).exists(file));
  }

  /** Reads the manifest of the dataset at {@code data.path}. */
  public static DatasetManifest read(Configuration hadoop, String path) {
    return read(hadoop, "mixtraining.data.path", path);
  }

  /**
   * Reads the manifest of the dataset at {@code path}.
   *
   * @param key the configuration key that names the path
   * @throws UserException if there is no prepared dataset
   */
  public static DatasetManifest read(Configuration hadoop, String key, String path) {
    var file = new Path(Location.path(path), FILE);
    try {
      var fs = Location.known(file, hadoop);
      try (var in = fs.open(file)) {
        return ManifestText.parse(in.readAllBytes());
      } catch (FileNotFoundException e) {
        var missing =
            "no prepared dataset at %s (%s is missing); run the command prepare"
                .formatted(path, file);
        throw new UserException(
            "%s: %s".formatted(key, Location.forbidden(fs, file).orElse(missing)));
      }
    } catch (IllegalArgumentException e) {
      throw new UserException(
          "%s: %s is not a dataset manifest: %s; restore the file that prepare wrote, or prepare the images again in another mixtraining.data.path"
              .formatted(key, file, e.getMessage()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public void write(Configuration hadoop, Path directory) throws IOException {
    var file = new Path(directory, FILE);
    try (var out = Location.fileSystem(file, hadoop).create(file, false)) {
      out.write(json().getBytes(StandardCharsets.UTF_8));
    }
  }

  /** The text of {@code dataset.json}. */
  public String json() {
    return ManifestText.of(this);
  }

  /** The properties that decide which images a worker sees in which order. */
  public Map<String, String> identity() {
    Map<String, String> identity = new TreeMap<>();
    identity.put("fingerprint", fingerprint);
    identity.put("shards", String.valueOf(shards));
    identity.put("seed", String.valueOf(seed));
    identity.put("validation", String.valueOf(validation));
    if (dealing > 0) { // the provenance of older runs has no such key
      identity.put("dealing", String.valueOf(dealing));
    }
    return identity;
  }

  /**
   * Checks that the configuration of the raw files matches the one that the shards were made with.
   * Without data.source there is nothing to compare.
   *
   * @throws UserException with a line for every key that differs
   */
  public void checkPreparation(DataConfig data) {
    if (data.raw().source().isEmpty()) {
      return;
    }
    Map<String, Object> given = data.ingredients();
    List<String> problems = new ArrayList<>();
    preparation()
        .forEach(
            (key, was) -> {
              if (!was.equals(given.get(key))) {
                problems.add(
                    "mixtraining.data.%s = %s: the dataset at mixtraining.data.path = %s was prepared with %s; use that, or prepare the images again in another mixtraining.data.path"
                        .formatted(key, given.get(key), Secrets.inText(data.path()), was));
              }
            });
    UserException.throwAny(problems);
  }

  /** The values of {@link DataConfig#ingredients} that it was made with. */
  private Map<String, Object> preparation() {
    Map<String, Object> keys = new LinkedHashMap<>();
    keys.put("format", format);
    if (!label.equals("label")) {
      keys.put("label", label);
    }
    keys.put("image-size", height);
    keys.put("shards", shards);
    keys.put("seed", seed);
    keys.put("validation", validation);
    return keys;
  }

  /**
   * Refuses a dataset for the SSL objective whose images are of another shape than this one's.
   *
   * @param path its {@code data.ssl}
   */
  public void checkShape(String path, DatasetManifest ssl) {
    if (!ssl.shape().equals(shape())) {
      throw new UserException(
          "mixtraining.data.ssl = %s: its images are %s, but must have the shape of those of mixtraining.data.path, %s"
              .formatted(Secrets.inText(path), ssl.shape(), shape()));
    }
  }

  private String shape() {
    return "%s x %s x %s".formatted(channels, height, width);
  }

  /** Number of classes. */
  public int classCount() {
    return classes.size();
  }

  /** Images of a split. */
  public long images(Split split) {
    return splits.get(split).images();
  }

  /** Images of a share of a split: of each class, those with a quantile below it. */
  public long images(Split split, double share) {
    return labelled(split, share) + images(splits.get(split).unlabelled(), share);
  }

  /** Those of them that have a label. */
  public long labelled(Split split, double share) {
    return splits.get(split).histogram().stream().mapToLong(n -> images(n, share)).sum();
  }

  /**
   * How many images, of those whose label is missing or not used, lie in a slice.
   *
   * @param fraction share of the split that is used
   * @param labelFraction share of the split that is used with its labels, up to the fraction
   */
  public long unlabelled(Split split, Slice slice, double fraction, double labelFraction) {
    long none = splits.get(split).unlabelled();
    return slice.images(share -> labelled(split, share), labelFraction, fraction)
        + slice.images(share -> images(none, share), 0, fraction);
  }

  /**
   * Images by class of a held-out split that a run uses. Model selection gets no more labels than
   * training, as in few-shot learning (Gao et al., LM-BFF, arXiv 2012.15723): of each class,
   * validation uses the first in the seeded order.
   *
   * @param labelled share of the training images that are used with their labels
   */
  public List<Long> heldOut(Split split, double labelled) {
    List<Long> all = splits.get(split).histogram();
    List<Long> training = splits.get(Split.TRAIN).histogram();
    return split != Split.VALIDATION
        ? all
        : IntStream.range(0, classCount())
            .mapToObj(c -> Math.min(all.get(c), images(training.get(c), labelled)))
            .toList();
  }

  /** The sum of {@link #heldOut}. */
  public long heldOutImages(Split split, double labelled) {
    return heldOut(split, labelled).stream().mapToLong(n -> n).sum();
  }

  /** Classes that have images in a split, but none in a share of it. */
  public List<String> leftOut(Split split, double share) {
    List<Long> histogram = splits.get(split).histogram();
    return IntStream.range(0, classCount())
        .filter(c -> histogram.get(c) > 0 && images(histogram.get(c), share) == 0)
        .mapToObj(classes::get)
        .toList();
  }

  /** How many of n images have a quantile, (k + 0.5) / n, below a share, as it is compared. */
  private static long images(long n, double share) {
    long images = Math.max(0, Math.min(n, (long) Math.ceil(share * n - 0.5)));
    if (images > 0 && (images - 0.5) / n >= share) {
      return images - 1;
    }
    return images < n && (images + 0.5) / n < share ? images + 1 : images;
  }

  /** The dataset as text: class histogram of each split, and the fingerprint. */
  public String describe() {
    return ManifestSummary.of(this);
  }
}
