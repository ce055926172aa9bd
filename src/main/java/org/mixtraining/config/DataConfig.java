package org.mixtraining.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.mixtraining.config.hocon.Canonical;
import org.mixtraining.config.hocon.Settings;

/**
 * The block {@code data} of the file, in one class as it is there: {@code path} holds the prepared
 * shards; the rest says how they are made and which part of them is used.
 *
 * @param path directory of the image shards
 * @param ssl directory of other image shards for the SSL objective; empty: those of {@code path}
 * @param tasks labelled datasets to train on together, instead of {@code path}; may be empty
 * @param fraction share of the training images used by both objectives, in (0, 1]
 * @param labelFraction share of the training images whose labels are used, in (0, 1]; SSL sees
 *     every image of {@code fraction}
 * @param reshuffle whether the training images are assigned again to the workers in each epoch
 */
public record DataConfig(
    @Canonical.Inline Raw raw,
    @Canonical.Inline Preparation preparation,
    @Canonical.Inline Caching caching,
    String path,
    String ssl,
    List<Task> tasks,
    double fraction,
    double labelFraction,
    boolean reshuffle)
    implements Serializable {

  /** The name of the task of a run that has only one. */
  public static final String MAIN_TASK = "main";

  /** How raw images are stored. */
  public enum Format {
    CIFAR10,
    CIFAR100,
    TINYIMAGENET,
    FOLDER,
    IDX,
    PARQUET,
    WEBDATASET,
    IMAGENET,
    CSV,
    SYNTHETIC;

    private int imageSize() {
      return switch (this) {
        case TINYIMAGENET, FOLDER, PARQUET, WEBDATASET, CSV -> 64;
        case IMAGENET -> 224;
        case IDX -> 28;
        case CIFAR10, CIFAR100, SYNTHETIC -> 32;
      };
    }

    /** As configurations and manifests write it. */
    @Override
    public String toString() {
      return KebabCase.of(this);
    }
  }

  /**
   * What {@code prepare} reads.
   *
   * @param source directory of the raw files (empty for {@code synthetic})
   * @param label which label of CIFAR-100 is trained on: {@code fine} or {@code coarse}; of a
   *     Parquet table also the name of its column, of a WebDataset the field of its JSON
   * @param image column of a Parquet table's images; empty: the only one there is
   * @param keepUnlabelled whether training images that have no label are kept for the
   *     self-supervised objectives
   * @param synthetic size of the {@code synthetic} dataset
   */
  public record Raw(
      Format format,
      String source,
      String label,
      String image,
      boolean keepUnlabelled,
      Synthetic synthetic)
      implements Serializable {

    private static final String FINE = "fine";

    /** Formats whose labels have names that their authors chose. */
    private static final Set<Format> NAMING = Set.of(Format.PARQUET, Format.WEBDATASET, Format.CSV);

    private static Raw read(Settings settings) {
      Format format = settings.choice("data.format", Format.class);
      settings.byDefault("data.image-size", format.imageSize());
      return new Raw(
          format,
          settings.place("data.source", "a directory"),
          NAMING.contains(format)
              ? settings.text(
                  "data.label",
                  name -> !name.isBlank(),
                  "fine, coarse or the name of a column or field")
              : settings.oneOf("data.label", List.of(FINE, "coarse")),
          settings.text("data.image", name -> true, "the name of a column, or empty"),
          settings.flag("data.keep-unlabelled"),
          new Synthetic(
              settings.whole("data.synthetic.train", 1), settings.whole("data.synthetic.test", 1)));
    }

    /** The column or field of the labels where {@code label} names one, else the usual one. */
    public String labelName() {
      return label.equals(FINE) ? "label" : label;
    }
  }

  /**
   * The making of shards from raw images by {@code prepare}.
   *
   * @param storage what is kept of an image
   * @param imageSize side in pixels that every image is scaled to
   * @param shards shard count of each split
   * @param test share of the images held out as test split where the source has none, in (0, 1)
   * @param validation share of the training images held out for model selection, in [0, 1)
   * @param maxBadFraction share of the images that may be unusable, in [0, 1]
   * @param maxPixels pixels that an image file may declare
   * @param seed seed of the stratified order that fractions and the validation split are cut from
   */
  public record Preparation(
      int imageSize,
      Storage storage,
      int shards,
      double test,
      double validation,
      double maxBadFraction,
      int maxPixels,
      long seed)
      implements Serializable {

    /** What shards hold of an image. */
    public enum Storage {
      /** Its pixels. */
      RAW,
      /** Its JPEG or PNG file where that is smaller than its pixels. */
      SMALLER
    }

    private static Preparation read(Settings settings) {
      return new Preparation(
          settings.whole(
              "data.image-size",
              side -> side >= 1 && side <= 1024,
              "a whole number from 1 to 1024"),
          settings.choice("data.storage", Storage.class),
          settings.whole("data.shards", 1),
          settings.number("data.test", v -> 0 < v && v < 1, "in (0, 1)"),
          settings.number("data.validation", v -> 0 <= v && v < 1, "in [0, 1)"),
          settings.number("data.max-bad-fraction", v -> 0 <= v && v <= 1, "in [0, 1]"),
          settings.whole("data.max-pixels", 1),
          settings.seed("data.seed"));
    }
  }

  /** Where a worker keeps the images of its share between epochs. */
  public enum Cache {
    /** In memory if there is enough, else on disk. */
    AUTO,
    /** Decoded in memory. */
    MEMORY,
    /** In a file on a local disk of the executor. */
    DISK,
    /** Nowhere: they are read from the shards again in each epoch. */
    NONE
  }

  /**
   * How a worker keeps its images and in which order it takes them.
   *
   * @param cache where; no bit of a run depends on it
   * @param window megabytes of images that are shuffled among each other; 0: all of a share
   */
  public record Caching(Cache cache, int window) implements Serializable {
    private static final int STREAMED_WINDOW = 512;

    /** All images in memory, shuffled among each other. */
    public static final Caching MEMORY = new Caching(Cache.MEMORY, 0);

    private static Caching read(Settings settings) {
      Cache cache = settings.choice("data.cache", Cache.class);
      settings.byDefault("data.window", cache == Cache.NONE ? STREAMED_WINDOW : 0);
      int window = settings.whole("data.window", 0);
      if (cache == Cache.NONE && window == 0) {
        settings.refuse("data.window", "must be above 0 with mixtraining.data.cache = none");
      }
      return new Caching(cache, window);
    }

    /** The same window, kept elsewhere. */
    public Caching in(Cache other) {
      return new Caching(other, window);
    }

    /** The window in bytes; all there are if it is the whole share. */
    public long windowBytes() {
      return window == 0 ? Long.MAX_VALUE : window * 1_000_000L;
    }
  }

  /**
   * A labelled dataset that has a head of its own.
   *
   * @param path directory of its image shards
   * @param weight factor on its supervised loss
   */
  public record Task(String name, String path, double weight) implements Serializable {
    private static final Set<String> KEYS = Set.of("name", "path", "weight");
    private static final String RANGE =
        "a list of { name = …, path = …, weight = 1 }, with distinct names of letters, digits"
            + " and . _ - and weights above 0";

    /**
     * Reads a list of blocks with the keys name, path and, if not 1, weight.
     *
     * @throws IllegalArgumentException if the text is no such list
     */
    private static List<Task> parse(String text) {
      try {
        return ConfigFactory.parseString("tasks = " + text).getConfigList("tasks").stream()
            .map(Task::of)
            .toList();
      } catch (ConfigException e) {
        throw new IllegalArgumentException(text, e);
      }
    }

    private static Task of(Config block) {
      if (!KEYS.containsAll(block.root().keySet())) {
        throw new IllegalArgumentException("unknown key in " + block.root().keySet());
      }
      double weight = block.hasPath("weight") ? block.getDouble("weight") : 1;
      return new Task(block.getString("name"), Location.expanded(block.getString("path")), weight);
    }

    private static boolean areAllowed(List<Task> tasks) {
      return tasks.stream().map(Task::name).distinct().count() == tasks.size()
          && tasks.stream().allMatch(Task::isAllowed);
    }

    private boolean isAllowed() {
      return Names.isName(name)
          && !path.isBlank()
          && Location.problem(path).isEmpty()
          && Double.isFinite(weight)
          && weight > 0;
    }
  }

  /** Image counts of the synthetic source. */
  public record Synthetic(int train, int test) implements Serializable {}

  static DataConfig read(Settings settings) {
    return new DataConfig(
        Raw.read(settings),
        Preparation.read(settings),
        Caching.read(settings),
        settings.path("data.path"),
        settings.place("data.ssl", "a path, or empty"),
        settings.read("data.tasks", Task::parse, Task::areAllowed, Task.RANGE),
        settings.number("data.fraction", v -> 0 < v && v <= 1, "in (0, 1]"),
        settings.number("data.label-fraction", v -> 0 < v && v <= 1, "in (0, 1]"),
        settings.flag("data.reshuffle"));
  }

  /** Share of the training images that are used with their labels, in (0, 1]. */
  public double labelledFraction() {
    return fraction * labelFraction;
  }

  /** Whether there may be training images whose label is unknown, or must not be used. */
  public boolean hasUnlabelled() {
    return labelFraction < 1 || raw.keepUnlabelled;
  }

  /** What is trained on: {@code tasks}, or the one task of {@code path}. */
  public List<Task> labelled() {
    return tasks.isEmpty() ? List.of(new Task(MAIN_TASK, path, 1)) : tasks;
  }

  /** The key that names the path of a labelled dataset. */
  public String key(Task task) {
    return tasks.isEmpty() ? "mixtraining.data.path" : "mixtraining.data.tasks " + task.name();
  }

  /** What shards are made of and how, by key: all that their bits depend on. */
  public Map<String, Object> ingredients() {
    return Map.ofEntries(
        Map.entry("format", raw.format.toString()),
        Map.entry("source", raw.source),
        Map.entry("label", raw.label),
        Map.entry("image", raw.image),
        Map.entry("keep-unlabelled", raw.keepUnlabelled),
        Map.entry("image-size", preparation.imageSize),
        Map.entry("storage", preparation.storage),
        Map.entry("shards", preparation.shards),
        Map.entry("seed", preparation.seed),
        Map.entry("test", preparation.test),
        Map.entry("validation", preparation.validation),
        Map.entry("synthetic", raw.synthetic));
  }
}
