package org.mixtraining.data;

import java.util.Comparator;
import java.util.stream.IntStream;
import org.mixtraining.schedule.Seed;
import org.mixtraining.schedule.Slice;

/**
 * The images that one worker trains on in an epoch.
 *
 * @param images the images in its memory
 * @param indices those of them that are its own
 */
public record Share(ImageSet images, Normalization normalization, int[] indices) {

  private static final int UNLABELLED = Integer.MAX_VALUE; // assigned last

  /** All images of a set. */
  public static Share all(ImageSet images, Normalization normalization) {
    return new Share(images, normalization, IntStream.range(0, images.size()).toArray());
  }

  /**
   * A worker's share of these images, which all workers hold, shuffled by seed and epoch: each is
   * assigned to one worker, and no worker gets two more than another, nor two more of those with a
   * label, nor of any class of these.
   *
   * @param worker from 0
   * @param labelFraction share of the labels that may be used, in (0, 1]
   */
  public Share assigned(int worker, int workers, long seed, int epoch, double labelFraction) {
    int[] shuffled =
        IntStream.of(indices)
            .boxed()
            .sorted(
                Comparator.<Integer>comparingInt(
                        i -> images.isLabelled(i, labelFraction) ? images.label(i) : UNLABELLED)
                    .thenComparingLong(i -> Seed.DEAL.hash(seed, epoch, images.id(i))))
            .mapToInt(i -> i)
            .toArray();
    int[] own =
        IntStream.range(0, shuffled.length)
            .filter(place -> place % workers == worker)
            .map(place -> shuffled[place])
            .sorted()
            .toArray();
    return new Share(images, normalization, own);
  }

  /**
   * The same in whole shards, dealt by seed and epoch: no worker gets two more than another. A
   * shard has its part of each class, and of those with a label.
   *
   * @param shards of the dataset
   * @param worker from 0
   */
  public Share rotated(int shards, int worker, int workers, long seed, int epoch) {
    int[] dealt =
        IntStream.range(0, shards)
            .boxed()
            .sorted(Comparator.comparingLong(shard -> Seed.DEAL.hash(seed, epoch, shard)))
            .mapToInt(shard -> shard)
            .toArray();
    int[] worked = new int[shards];
    for (int place = 0; place < shards; place++) {
      worked[dealt[place]] = place % workers;
    }
    int[] own = IntStream.of(indices).filter(i -> worked[images.shard(i)] == worker).toArray();
    return new Share(images, normalization, own);
  }

  /**
   * Those with a label, and a slice of the others.
   *
   * @param fraction share of the images that is used, in (0, 1]
   * @param labelFraction share of the images that is used with its labels, up to the fraction
   */
  public Share visiting(Slice unlabelled, double fraction, double labelFraction) {
    int[] visited =
        IntStream.of(indices)
            .filter(
                i -> {
                  double labels = images.label(i) < 0 ? 0 : labelFraction;
                  double quantile = images.quantile(i);
                  return quantile < labels || unlabelled.has(quantile, labels, fraction);
                })
            .toArray();
    return new Share(images, normalization, visited);
  }
}
