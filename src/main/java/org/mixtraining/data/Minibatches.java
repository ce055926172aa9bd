package org.mixtraining.data;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.stream.IntStream;
import org.mixtraining.config.Augment;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.schedule.Seed;

/**
 * One pass over an {@link ImageSet} in minibatches; the last one may be smaller. The order of
 * images, and what augmentation does to each, depend on the seed, the epoch and the image ids
 * alone.
 */
public final class Minibatches implements Iterator<Minibatch> {
  /** Which images a training epoch sees, given the share of labels that may be used. */
  public enum Labels {
    /** Every image; those outside the share come {@link Minibatch#UNLABELLED}. */
    ALL,
    /** Only the images inside the share. */
    LABELLED_ONLY
  }

  private final ImageSet images;
  private final int[] order;
  private final int batchSize;
  private final double labelFraction;
  private final Pixels pixels;
  private final WorkerThreads threads; // that prepare images
  private int next;

  private Minibatches(
      ImageSet images,
      int[] order,
      int batchSize,
      double labelFraction,
      Pixels pixels,
      WorkerThreads threads) {
    this.images = images;
    this.order = order;
    this.batchSize = batchSize;
    this.labelFraction = labelFraction;
    this.pixels = pixels;
    this.threads = threads;
  }

  /**
   * One epoch of training: shuffled and augmented.
   *
   * @param augment what is done to each image
   * @param seed the run's seed
   * @param batchSize images of a minibatch, above 0
   * @param labelFraction share of the labels that may be used, in (0, 1]
   */
  public static Minibatches training(
      Share share,
      Augment.Images augment,
      long seed,
      int epoch,
      int batchSize,
      double labelFraction,
      Labels labels) {
    ImageSet images = share.images();
    var kept =
        IntStream.of(share.indices())
            .filter(i -> labels == Labels.ALL || images.quantile(i) < labelFraction);
    var pixels = Pixels.augmented(share.normalization(), augment, seed, epoch);
    int[] order = shuffle(images, kept, seed, epoch);
    return new Minibatches(images, order, batchSize, labelFraction, pixels, new WorkerThreads(1));
  }

  /** Every image with its label, in order of the ids, as it is. */
  public static Minibatches evaluation(
      ImageSet images, Normalization normalization, int batchSize) {
    var order = IntStream.range(0, images.size()).toArray();
    Pixels plain = Pixels.plain(normalization);
    return new Minibatches(images, order, batchSize, 1, plain, new WorkerThreads(1));
  }

  /** The same, prepared by these threads, which are to last as long as this is in use. */
  public Minibatches preparedBy(WorkerThreads these) {
    return new Minibatches(images, order, batchSize, labelFraction, pixels, these);
  }

  private static int[] shuffle(ImageSet images, IntStream kept, long seed, int epoch) {
    record Place(long hash, int index) {}
    return kept.mapToObj(i -> new Place(Seed.SHUFFLE.hash(seed, epoch, images.id(i)), i))
        .sorted(Comparator.comparingLong(Place::hash).thenComparingInt(Place::index))
        .mapToInt(Place::index)
        .toArray();
  }

  /** Minibatches in the whole pass. */
  public int steps() {
    return (order.length + batchSize - 1) / batchSize;
  }

  /** Images in the whole pass. */
  public int images() {
    return order.length;
  }

  @Override
  public boolean hasNext() {
    return next < order.length;
  }

  @Override
  public Minibatch next() {
    int[] batch = take(batchSize);
    var values = new float[batch.length * images.imageBytes()];
    threads.run(
        batch.length,
        (thread, n) -> pixels.write(images, batch[n], values, n * images.imageBytes()));
    return new Minibatch(
        ids(batch), labels(batch), values, images.channels(), images.height(), images.width());
  }

  /** The next minibatch with its images as they are stored, for who augments them elsewhere. */
  public StoredMinibatch nextStored() {
    return nextStored(batchSize);
  }

  /** The same with so many images, or as many as are left. */
  StoredMinibatch nextStored(int most) {
    int[] batch = take(most);
    var edits = new double[batch.length * pixels.editValues()];
    threads.run(
        batch.length,
        (thread, n) -> pixels.writeEdits(images, batch[n], edits, n * pixels.editValues()));
    return new StoredMinibatch(ids(batch), labels(batch), images, batch, edits);
  }

  private int[] take(int most) {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    int[] batch = Arrays.copyOfRange(order, next, Math.min(next + most, order.length));
    next += batch.length;
    return batch;
  }

  private long[] ids(int[] batch) {
    return IntStream.of(batch).mapToLong(images::id).toArray();
  }

  private int[] labels(int[] batch) {
    return IntStream.of(batch)
        .map(i -> images.quantile(i) < labelFraction ? images.label(i) : Minibatch.UNLABELLED)
        .toArray();
  }
}
