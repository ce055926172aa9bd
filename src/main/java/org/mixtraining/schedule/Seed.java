package org.mixtraining.schedule;

import java.util.SplittableRandom;

/**
 * Named random streams, the source of all randomness of a run. A draw depends on the run's seed,
 * the stream and coordinates (epoch, worker, image id), never on an attempt, a thread or a clock.
 * Two uses with the same coordinates draw the same numbers wherever and however often they run.
 */
public enum Seed {
  /** Initial weights. */
  WEIGHTS,
  /** Stratified order of a dataset. */
  SPLIT,
  /** Order of images in an epoch. */
  SHUFFLE,
  /** Crops, flips and the like. */
  AUGMENT,
  /** Masked patches. */
  MASK,
  /** Synthetic images. */
  SYNTHETIC,
  /** How much of an image is mixed with its partner's, by mixup or cutmix. */
  MIXUP,
  /** Assignment of images to workers, where it changes every epoch ({@code data.reshuffle}). */
  DEAL,
  /** Branches of blocks that an image skips. */
  DEPTH,
  /** Order and augmentation of the images of {@code data.ssl} that are mixed into labelled ones. */
  PARTNER;

  /** A generator for this stream at the given coordinates. */
  public SplittableRandom at(long runSeed, long... coordinates) {
    return new SplittableRandom(hash(runSeed, coordinates));
  }

  /**
   * A well-mixed 64-bit hash of this stream's name and the coordinates (SplitMix64's finaliser).
   */
  public long hash(long runSeed, long... coordinates) {
    long h = mix(runSeed + 0x9E3779B97F4A7C15L * (ordinal() + 1));
    for (long coordinate : coordinates) {
      h = mix(h + 0x9E3779B97F4A7C15L + mix(coordinate));
    }
    return h;
  }

  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
