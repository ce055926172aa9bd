package org.mixtraining.train;

import org.mixtraining.kernels.Device;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.state.ModelState;

/**
 * A predictor of class probabilities and features of images, by an SL graph, or of their masked
 * patches, by one of another objective: a replica's own graph, or the device of a {@link
 * StepAccelerator}.
 */
public interface Predictor extends AutoCloseable {

  /** The predictor for a replica on a device, to which the calling thread is bound. */
  static Predictor of(Replica replica, Device device) {
    return device
        .accelerator()
        .filter(StepAccelerator.class::isInstance)
        .map(accelerator -> ((StepAccelerator) accelerator).predictor(replica, device))
        .orElseGet(() -> new GraphPredictor(replica));
  }

  /** Takes the parameters of a model, with which it predicts from now on. */
  void load(ModelState model);

  /**
   * Class probabilities by one head.
   *
   * @param pixels [images, channels, size, size], normalised; one channel may stand for all
   * @param size height and width of the images
   * @return [images, classes], row-major
   */
  float[] predict(String head, float[] pixels, int images, int size);

  /**
   * What a head is given of each image: its pooled tokens.
   *
   * @param pixels as for {@link #predict}
   * @return [images, dim], row-major
   */
  float[] features(float[] pixels, int images, int size);

  /**
   * What a masked autoencoder predicts of images that it sees a part of, by an SSL or a JOINT graph
   * whose mask ratio is the mask's.
   *
   * @param pixels as for {@link #predict}
   * @param mask [images, patches], 1 at each visible patch
   * @return [images, 1 + patches, patchValues], row-major: the rows of class tokens mean nothing
   */
  float[] patches(float[] pixels, float[] mask, int images, int size);

  /** Frees what it has of its own. */
  @Override
  default void close() {}
}
