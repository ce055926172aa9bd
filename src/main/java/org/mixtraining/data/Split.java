package org.mixtraining.data;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** A split of a dataset; the splits are disjoint. */
public enum Split {
  /** Images that are trained on. */
  @JsonProperty("train")
  TRAIN("train", "training"),
  /** Images held out of the source's training images, for model selection. */
  @JsonProperty("validation")
  VALIDATION("validation", "valid", "val", "dev"),
  /** The source's own test images. */
  @JsonProperty("test")
  TEST("test", "testing", "eval", "evaluation");

  private final List<String> names;

  Split(String... names) {
    this.names = List.of(names);
  }

  /** The name in directories, in {@code dataset.json} and on the screen. */
  public String key() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The split that a directory of this name holds, in any case: Hugging Face's names for image
   * folders.
   */
  public static Optional<Split> named(String directory) {
    return Arrays.stream(values())
        .filter(split -> split.names.contains(directory.toLowerCase(Locale.ROOT)))
        .findFirst();
  }

  /** The split whose name a table's begins with, between underscores or anything but letters. */
  public static Optional<Split> begins(String name) {
    return named(name.replaceFirst("^_+", "").split("[^A-Za-z]", 2)[0]);
  }

  /** The split of that key. */
  public static Split of(String key) {
    return valueOf(key.toUpperCase(Locale.ROOT));
  }
}
