package org.mixtraining.config;

import java.io.Serializable;
import org.mixtraining.config.hocon.Settings;

/**
 * Random augmentation of training images.
 *
 * @param ssl what SSL epochs do to each image
 * @param sl what SL and JOINT epochs do to each image
 * @param mixup α of mixup in SL minibatches, at least 0; 0: none
 * @param cutmix α of cutmix in SL minibatches, at least 0; 0: none
 * @param patchDropout share of the patches that the encoder is not shown in SL epochs, over their
 *     phase, in [0, 1) (PatchDropout: Liu et al., arXiv 2208.07220)
 */
public record AugmentConfig(Images ssl, Images sl, double mixup, double cutmix, Curve patchDropout)
    implements Serializable {

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
      implements Serializable {

    private static Images read(Settings settings, String block) {
      return new Images(
          new ResizedCrop(
              settings.pair(
                  block + ".random-resized-crop.scale",
                  Range::new,
                  scale -> 0 < scale.low && scale.low <= scale.high && scale.high <= 1,
                  "two ascending numbers in (0, 1], as [0.2, 1]"),
              settings.pair(
                  block + ".random-resized-crop.ratio",
                  Range::new,
                  ratio ->
                      0 < ratio.low
                          && ratio.low <= ratio.high
                          && ratio.high < Double.POSITIVE_INFINITY,
                  "two ascending numbers above 0, as [0.75, 1.33]")),
          settings.whole(block + ".crop-padding", 0),
          settings.flag(block + ".flip"),
          new RandAugment(
              settings.whole(block + ".rand-augment.ops", 0),
              settings.number(
                  block + ".rand-augment.magnitude", v -> 0 <= v && v <= 30, "in [0, 30]")),
          settings.number(block + ".random-erasing", v -> 0 <= v && v <= 1, "in [0, 1]"));
    }
  }

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

  /**
   * Reads the block.
   *
   * @param visible whether the SL epochs follow on MIX epochs of the visible pass: by default they
   *     then go on hiding patches, ever fewer
   */
  static AugmentConfig read(Settings settings, boolean visible) {
    settings.byDefault("augment.patch-dropout", visible ? "linear(0.5->0)" : "constant(0)");
    return new AugmentConfig(
        Images.read(settings, "augment.ssl"),
        Images.read(settings, "augment.sl"),
        settings.number("augment.mixup", v -> v >= 0, "at least 0"),
        settings.number("augment.cutmix", v -> v >= 0, "at least 0"),
        settings.curve("augment.patch-dropout", v -> 0 <= v && v < 1, "in [0, 1)"));
  }
}
