package org.mixtraining.vit;

import java.io.Serializable;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * A minibatch's images as they are stored, and what a device is to do to them: crop, mirror,
 * normalise, and choose the visible patches, by the random numbers that belong to seed, epoch and
 * image ids. They travel as the minibatch's example metadata, behind its {@link Batch.Position}.
 *
 * @param store of uint8 images [channels, size, size]
 * @param places in the store of the minibatch's images
 * @param size height and width
 * @param tables normalised value of each pixel value, [channels, 256]
 * @param padding black pixels on every side before a random crop; 0: no crop
 * @param flip whether every second image is mirrored
 * @param seed the run's
 */
public record StoredImages(
    ImageStore store,
    int[] places,
    int channels,
    int size,
    float[] tables,
    int padding,
    boolean flip,
    long seed,
    int epoch)
    implements Serializable {

  /** Those of a minibatch, if that is how it comes. */
  public static Optional<StoredImages> of(MultiDataSet minibatch) {
    List<?> metadata = minibatch.getExampleMetaData();
    return metadata != null && metadata.size() > 1 && metadata.get(1) instanceof StoredImages images
        ? Optional.of(images)
        : Optional.empty();
  }

  /** Height and width of a minibatch's images. */
  static int size(MultiDataSet minibatch) {
    return of(minibatch).map(StoredImages::size).orElse((int) minibatch.getFeatures(0).size(2));
  }

  @Override
  public String toString() {
    return "%d images of %dx%d".formatted(places.length, size, size);
  }
}
