package org.mixtraining.vit;

import java.io.Serializable;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * A minibatch's images as they are stored, and what a device is to do to them: edit, normalise,
 * mix, and choose the visible patches, by the random numbers that belong to seed, epoch and image
 * ids. They travel as the minibatch's example metadata, behind its {@link Batch.Position}.
 *
 * @param others which they are mixed with, as many; null: each is mixed with the next one of the
 *     minibatch, the last with the first
 * @param mixes how, [images, 5] as {@code images.cuh} reads it; empty if they are not mixed
 * @param seed the run's
 */
public record StoredImages(Picked own, Picked others, float[] mixes, long seed, int epoch)
    implements Serializable {

  /**
   * Images of a store.
   *
   * @param store of uint8 images [channels, size, size]
   * @param places of the images in the store
   * @param channels 1 or those of the model
   * @param size height and width
   * @param edits what is done to them in turn, [images, edits, 6] as {@code edits.cuh} reads it
   * @param tables normalised value of each pixel value, [channels, 256]: the same for all images of
   *     a store
   */
  public record Picked(
      ImageStore store, int[] places, int channels, int size, double[] edits, float[] tables)
      implements Serializable {}

  /** Those of a minibatch, if that is how it comes. */
  public static Optional<StoredImages> of(MultiDataSet minibatch) {
    List<?> metadata = minibatch.getExampleMetaData();
    return metadata != null && metadata.size() > 1 && metadata.get(1) instanceof StoredImages images
        ? Optional.of(images)
        : Optional.empty();
  }

  /** Height and width of a minibatch's images. */
  static int size(MultiDataSet minibatch) {
    return of(minibatch)
        .map(images -> images.own.size)
        .orElse((int) minibatch.getFeatures(0).size(2));
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "%d images of %dx%d", own.places.length, own.size, own.size);
  }
}
