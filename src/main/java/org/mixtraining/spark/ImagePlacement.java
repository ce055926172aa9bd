package org.mixtraining.spark;

import java.util.function.Predicate;
import org.mixtraining.config.DataConfig.Cache;
import org.mixtraining.run.TrainingData;

/**
 * Choice of the place where workers keep their images, if {@code data.cache = auto} leaves it open:
 * memory if they fit, else the disk. A run has the same bits either way.
 */
final class ImagePlacement {

  private ImagePlacement() {}

  /**
   * The data, kept in a place that is known.
   *
   * @param fits whether there is memory for it
   */
  static TrainingData of(TrainingData data, Predicate<TrainingData> fits) {
    if (data.ssl().caching().cache() != Cache.AUTO) {
      return data;
    }
    TrainingData inMemory = data.in(Cache.MEMORY);
    return fits.test(inMemory) ? inMemory : data.in(Cache.DISK);
  }
}
