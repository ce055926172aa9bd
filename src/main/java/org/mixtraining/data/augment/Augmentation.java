package org.mixtraining.data.augment;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.mixtraining.config.AugmentConfig;

/** Augmentation of a single training image: a sequence of random transforms. */
public final class Augmentation {
  private final List<Transform> transforms;

  private Augmentation(List<Transform> transforms) {
    this.transforms = transforms;
  }

  /**
   * The transforms that the options ask for.
   *
   * @param meanColor of the dataset, uint8 [channels], which erased rectangles get
   */
  public static Augmentation of(AugmentConfig.Images options, byte[] meanColor) {
    var transforms = new ArrayList<Transform>();
    if (options.randomResizedCrop().scale().low() < 1) {
      transforms.add(new ResizedCrop(options.randomResizedCrop()));
    }
    if (options.cropPadding() > 0) {
      transforms.add(new PaddedCrop(options.cropPadding()));
    }
    if (options.flip()) {
      transforms.add(new Flip());
    }
    if (options.randAugment().ops() > 0) {
      transforms.add(new RandAugment(options.randAugment()));
    }
    if (options.randomErasing() > 0) {
      transforms.add(new Erasing(options.randomErasing(), meanColor));
    }
    return new Augmentation(List.copyOf(transforms));
  }

  /** None but the same for all: of an image's centre, this share of its side is seen. */
  public static Augmentation centre(double crop) {
    return new Augmentation(crop == 1 ? List.of() : List.of(new CentreCrop(crop)));
  }

  /** Draws the operations on an image of this size, in order. */
  public List<ImageOp> draw(SplittableRandom random, int height, int width) {
    List<ImageOp> ops = new ArrayList<>();
    transforms.forEach(transform -> transform.draw(random, height, width, ops::add));
    return ops;
  }

  /** The largest number of operations on an image. */
  public int most() {
    return transforms.stream().mapToInt(Transform::most).sum();
  }

  /** Draws the operations and applies them to the image. */
  public void apply(Canvas canvas, SplittableRandom random) {
    for (Transform transform : transforms) {
      transform.apply(canvas, random);
    }
  }
}
