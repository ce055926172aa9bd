package org.mixtraining.data;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Locale;

/** A part of a dataset that no other part shares an image with. */
public enum Split {
  /** Images that are trained on. */
  @JsonProperty("train")
  TRAIN,
  /** Images held out of the source's training images, for model selection. */
  @JsonProperty("validation")
  VALIDATION,
  /** The source's own test images. */
  @JsonProperty("test")
  TEST;

  /** The name in directories, in {@code dataset.json} and on the screen. */
  public String key() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The split of that name. */
  static Split of(String key) {
    return valueOf(key.toUpperCase(Locale.ROOT));
  }
}
