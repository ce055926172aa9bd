package org.mixtraining.config;

import java.io.Serializable;

/**
 * What is done to training images at random.
 *
 * @param ssl what SSL epochs do to each image
 * @param sl what SL and JOINT epochs do to each image
 * @param mixup α of mixup in SL minibatches, at least 0; 0: none
 * @param cutmix α of cutmix in SL minibatches, at least 0; 0: none
 */
public record Augment(Images ssl, Images sl, double mixup, double cutmix) implements Serializable {

  /**
   * What is done to an image by itself, in this order.
   *
   * @param cropPadding pixels padded on every side before a random crop back to the image's size
   * @param flip whether every second image is mirrored
   * @param randomErasing probability that a rectangle is painted over, in [0, 1]
   */
  public record Images(
      ResizedCrop randomResizedCrop,
      int cropPadding,
      boolean flip,
      RandAugment randAugment,
      double randomErasing)
      implements Serializable {}

  /**
   * A random window of the image, resized to the image's size.
   *
   * @param scale the window's share of the image's area, within (0, 1]; [1, 1]: the whole image
   * @param ratio the window's width divided by its height, above 0
   */
  public record ResizedCrop(Range scale, Range ratio) implements Serializable {}

  /**
   * Random operations in sequence.
   *
   * @param ops how many, at least 0
   * @param magnitude their strength, in [0, 30]
   */
  public record RandAugment(int ops, double magnitude) implements Serializable {}

  /** All numbers from {@code low} to {@code high}. */
  public record Range(double low, double high) implements Serializable {}
}
