package org.mixtraining.train;

import java.util.Optional;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.mixtraining.data.ImageSet;
import org.mixtraining.vit.Batch;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * A minibatch of a training epoch: what data makes and a {@link StepExecutor} takes a step on. Its
 * images are {@link Prepared} ones, or {@link Raw} ones that the device of the step prepares.
 */
public sealed interface TrainingBatch {

  /**
   * Where a minibatch stands in its epoch.
   *
   * @param step from 0
   * @param steps minibatches of the epoch
   */
  record Position(int step, int steps) {}

  Position position();

  /** The name of the head of the task that the images belong to. */
  String head();

  /** Ids of the images, which with seed and epoch decide what is drawn at random for each. */
  long[] ids();

  /** [images, classes], each image's distribution: all zero without a label. Empty in SSL. */
  float[] targets();

  /** Height and width of the images. */
  int imageSize();

  /** Share of the patches that are masked; of no meaning in SL. */
  double maskRatio();

  /** The same minibatch at another position. */
  TrainingBatch at(Position position);

  /** Number of images. */
  default int images() {
    return ids().length;
  }

  /** Images with a label. */
  default int labelled() {
    float[] targets = targets();
    int classes = targets.length / images();
    IntPredicate hasLabel =
        image ->
            IntStream.range(image * classes, (image + 1) * classes).anyMatch(i -> targets[i] > 0);
    return (int) IntStream.range(0, images()).filter(hasLabel).count();
  }

  /**
   * Images as a graph takes them.
   *
   * @param pixels [images, channels, size, size], normalised
   * @param mask [images, patches], 1 at each visible patch; empty where all are seen
   * @param reconstructs whether the masked patches are reconstructed
   */
  record Prepared(
      Position position,
      String head,
      long[] ids,
      float[] targets,
      int imageSize,
      double maskRatio,
      float[] pixels,
      float[] mask,
      boolean reconstructs)
      implements TrainingBatch {

    @Override
    public Prepared at(Position other) {
      return new Prepared(
          other, head, ids, targets, imageSize, maskRatio, pixels, mask, reconstructs);
    }

    /** The arrays of a graph that has the head of this task only. */
    public MultiDataSet arrays() {
      return Batch.of(images(), imageSize, pixels, mask, targets, reconstructs);
    }
  }

  /**
   * Images as they are stored, and what a device is to do to them: augment, normalise, mix, and
   * mask, by the random numbers that belong to seed, epoch and image ids.
   *
   * @param others which they are mixed with, as many; without them, each is mixed with the next one
   *     of the minibatch, the last with the first
   * @param mixes how, [images, 5] as {@code images.cuh} reads it; empty if they are not mixed
   * @param seed the run's
   */
  record Raw(
      Position position,
      String head,
      long[] ids,
      float[] targets,
      double maskRatio,
      Picked own,
      Optional<Picked> others,
      float[] mixes,
      long seed)
      implements TrainingBatch {

    /**
     * Images of a set.
     *
     * @param set of uint8 images [channels, size, size]; channels are 1 or those of the model
     * @param indices of the images in the set
     * @param ops operations on each in turn, [images, operations, 6] as {@code edits.cuh} reads it
     * @param tables normalised value of each pixel value, [channels, 256]: the same for all images
     *     of a set
     * @param pixels of the images, uint8 [images, channels, size, size]; empty where the set is in
     *     memory
     */
    public record Picked(
        ImageSet set, int[] indices, double[] ops, float[] tables, byte[] pixels) {}

    @Override
    public int imageSize() {
      return own.set.height();
    }

    @Override
    public Raw at(Position other) {
      return new Raw(other, head, ids, targets, maskRatio, own, others, mixes, seed);
    }
  }
}
