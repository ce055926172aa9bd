package org.mixtraining.data;

/**
 * The images of one training or evaluation step.
 *
 * @param ids n dataset-wide image ids: with the seed and the epoch they say which random numbers
 *     belong to an image
 * @param labels n class indices; {@link #UNLABELLED} where the label may not be used
 * @param pixels [n, channels, height, width], normalised
 */
public record Minibatch(
    long[] ids, int[] labels, float[] pixels, int channels, int height, int width) {
  /** The label of an image that only SSL may learn from. */
  public static final int UNLABELLED = -1;

  /** Images in this batch. */
  public int size() {
    return ids.length;
  }
}
