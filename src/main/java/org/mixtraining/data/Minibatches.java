package org.mixtraining.data;

import java.util.Arrays;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.stream.IntStream;
import org.mixtraining.config.AugmentConfig;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.schedule.Seed;

/**
 * One pass over an {@link ImageSet} in minibatches: as few as hold all images, and of nearly one
 * size, the larger first, since a step on a small remainder would move the model as far as one on a
 * full minibatch does. The order of images, and the augmentation of each, depend on the seed, the
 * epoch and the image ids alone; with a window, the order also on that and on the row groups.
 */
public final class Minibatches implements Iterator<Minibatch> {
  /** The images that a training epoch sees, given the share of labels that may be used. */
  public enum Labels {
    /** Every image, {@link Minibatch#UNLABELLED}. */
    NONE,
    /**
     * Every image; those outside the share come {@link Minibatch#UNLABELLED}. Those inside are
     * spread over the minibatches, so that no one has two more than another.
     */
    ALL,
    /**
     * Every image, in minibatches with labels alone and others without, the fewer of them at even
     * distances.
     */
    APART,
    /** Only the images inside the share. */
    LABELLED_ONLY
  }

  private final ImageSet images;
  private final Windows windows;
  private final Deal deal;
  private final Labels labels;
  private final double labelFraction;
  private final Pixels pixels;
  private final WorkerThreads threads; // that prepare images
  private int next;
  private int step;

  private Minibatches(
      Windows windows,
      Deal deal,
      Labels labels,
      double labelFraction,
      Pixels pixels,
      WorkerThreads threads) {
    this.images = windows.images();
    this.windows = windows;
    this.deal = deal;
    this.labels = labels;
    this.labelFraction = labelFraction;
    this.pixels = pixels;
    this.threads = threads;
  }

  /**
   * One epoch of training: shuffled and augmented.
   *
   * @param augment augmentation of each image
   * @param seed the run's seed
   * @param batchSize most images of a minibatch, above 0
   * @param labelFraction share of the labels that may be used, in (0, 1]
   */
  public static Minibatches training(
      Share share,
      AugmentConfig.Images augment,
      long seed,
      int epoch,
      int batchSize,
      double labelFraction,
      Labels labels) {
    ImageSet images = share.images();
    var kept =
        IntStream.of(share.indices())
            .filter(i -> labels != Labels.LABELLED_ONLY || images.isLabelled(i, labelFraction))
            .toArray();
    var pixels = Pixels.augmented(share.normalization(), augment, seed, epoch);
    var windows = new Windows(images, id -> Seed.SHUFFLE.hash(seed, epoch, id));
    int[] order = windows.order(kept);
    double labelled = labels == Labels.NONE ? 0 : labelFraction;
    Deal whole = Deal.evenly(order, 1);
    var all = new Minibatches(windows, whole, labels, labelled, pixels, new WorkerThreads(1));
    long own = labels == Labels.APART ? all.some(true).length : 0;
    return all.inSteps(steps(own, batchSize) + steps(order.length - own, batchSize));
  }

  /**
   * The same images in so many minibatches; where there are fewer images, those minibatches that
   * would have none are left out. A single one takes images of both kinds.
   */
  public Minibatches inSteps(int steps) {
    Deal dealt =
        switch (labels) {
          case NONE, LABELLED_ONLY -> Deal.evenly(deal.order(), steps);
          case ALL -> Deal.spread(order(true), order(false), steps);
          case APART -> Deal.apart(order(true), order(false), steps);
        };
    return new Minibatches(windows, dealt, labels, labelFraction, pixels, threads);
  }

  /** The images with a label, or those without, in their order. */
  private int[] order(boolean labelled) {
    return windows.order(some(labelled), some(!labelled));
  }

  private int[] some(boolean labelled) {
    return IntStream.of(deal.order())
        .filter(i -> images.isLabelled(i, labelFraction) == labelled)
        .toArray();
  }

  /**
   * One of the passes over images that are blended into those of another dataset. It has an order
   * and an augmentation of its own: where both datasets have the same ids, no image would otherwise
   * ever meet another partner.
   *
   * @param pass number of the pass in the epoch, from 0
   */
  public static Minibatches partners(
      Share share, AugmentConfig.Images augment, long seed, int epoch, int batchSize, int pass) {
    long own = Seed.PARTNER.hash(seed, pass);
    return training(share, augment, own, epoch, batchSize, 1, Labels.NONE);
  }

  /**
   * Every image that has a label, in order of the ids (within a window), as it is.
   *
   * @param crop share of its side that is seen, of the centre
   */
  public static Minibatches evaluation(
      ImageSet images, Normalization normalization, double crop, int batchSize) {
    var windows = new Windows(images, id -> id);
    int[] order =
        windows.order(
            IntStream.range(0, images.size()).filter(i -> images.isLabelled(i, 1)).toArray());
    Pixels plain = Pixels.plain(normalization, crop);
    Deal deal = Deal.evenly(order, steps(order.length, batchSize));
    return new Minibatches(windows, deal, Labels.LABELLED_ONLY, 1, plain, new WorkerThreads(1));
  }

  /** The same, prepared by these threads, which must stay open as long as this is in use. */
  public Minibatches preparedBy(WorkerThreads these) {
    return new Minibatches(windows, deal, labels, labelFraction, pixels, these);
  }

  /** Goes on at a step: the minibatches before it are not made. */
  public void skipTo(int step) {
    this.step = step;
    this.next = (int) imagesBefore(step);
  }

  /** Images in the minibatches before a step. */
  public long imagesBefore(int step) {
    return IntStream.of(deal.sizes()).limit(step).sum();
  }

  /** Leaves out the first so many images, with which no minibatch need end. */
  public void skipImages(int count) {
    next = count;
  }

  /** Steps on so many images, if none has more than a batch. */
  public static int steps(long images, int batchSize) {
    return Math.toIntExact((images + batchSize - 1) / batchSize);
  }

  /** Minibatches in the whole pass. */
  public int steps() {
    return deal.sizes().length;
  }

  /** Images in the whole pass. */
  public int images() {
    return deal.order().length;
  }

  @Override
  public boolean hasNext() {
    return next < images();
  }

  @Override
  public Minibatch next() {
    int[] batch = take(size());
    var values = new float[batch.length * images.imageBytes()];
    threads.run(
        batch.length,
        (thread, n) -> pixels.write(images, batch[n], values, n * images.imageBytes()));
    return new Minibatch(
        ids(batch), labels(batch), values, images.channels(), images.height(), images.width());
  }

  /**
   * The next minibatch with its images as they are stored, for augmentation on a device; they are
   * read, and decoded, here unless they are in memory.
   */
  public StoredMinibatch nextStored() {
    return nextStored(size());
  }

  /** The same with so many images, or as many as are left. */
  StoredMinibatch nextStored(int most) {
    int[] batch = take(most);
    var ops = new double[batch.length * pixels.opValues()];
    int bytes = images.buffers().isEmpty() ? images.imageBytes() : 0; // of an image to be read
    var stored = new byte[batch.length * bytes];
    threads.run(
        batch.length,
        (thread, n) -> {
          pixels.writeOps(images, batch[n], ops, n * pixels.opValues());
          if (bytes > 0) {
            var image = new byte[bytes];
            images.read(batch[n], image);
            System.arraycopy(image, 0, stored, n * bytes, bytes);
          }
        });
    return new StoredMinibatch(ids(batch), labels(batch), images, batch, ops, stored);
  }

  /** Images of the next minibatch. */
  private int size() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    return deal.sizes()[step];
  }

  private int[] take(int most) {
    int[] batch = Arrays.copyOfRange(deal.order(), next, Math.min(next + most, images()));
    images.expect(deal.order(), next);
    next += batch.length;
    step++;
    return batch;
  }

  private long[] ids(int[] batch) {
    return IntStream.of(batch).mapToLong(images::id).toArray();
  }

  private int[] labels(int[] batch) {
    return IntStream.of(batch)
        .map(i -> images.isLabelled(i, labelFraction) ? images.label(i) : Minibatch.UNLABELLED)
        .toArray();
  }
}
