package org.mixtraining.config;

import java.io.Serializable;
import org.mixtraining.config.hocon.Settings;

/**
 * How {@code prepare} makes shards of raw images.
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

  static Preparation read(Settings settings) {
    return new Preparation(
        settings.whole(
            "data.image-size", side -> side >= 1 && side <= 1024, "a whole number from 1 to 1024"),
        settings.choice("data.storage", Storage.class),
        settings.whole("data.shards", 1),
        settings.number("data.test", v -> 0 < v && v < 1, "in (0, 1)"),
        settings.number("data.validation", v -> 0 <= v && v < 1, "in [0, 1)"),
        settings.number("data.max-bad-fraction", v -> 0 <= v && v <= 1, "in [0, 1]"),
        settings.whole("data.max-pixels", 1),
        settings.seed("data.seed"));
  }
}
