package org.mixtraining.vit;

import java.io.Serializable;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Seed;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;

/** Minibatches as the graphs want them. */
public final class Batch {

  private Batch() {}

  /**
   * Where a minibatch stands in its epoch; it travels as the minibatch's example metadata.
   *
   * @param step position, from 0
   * @param steps minibatches of the epoch
   */
  public record Position(int step, int steps) implements Serializable {

    /** The position that a minibatch was given. */
    public static Position of(MultiDataSet minibatch) {
      return (Position) minibatch.getExampleMetaData().get(0);
    }
  }

  /**
   * A training minibatch: features are the images; labels the images (SSL), class distributions
   * (SL) or both (JOINT); the features mask shows the visible patches.
   *
   * @param pixels [images, channels, height, width], normalised
   * @param ids image ids, which with the seed and the epoch decide the masks
   * @param targets [images, classes], each image's distribution over the classes, all zero where it
   *     has no label; not read for SSL
   * @param seed the run's seed
   * @param epoch position in the run, from 0
   */
  public static MultiDataSet training(
      ViT vit,
      Objective objective,
      float[] pixels,
      long[] ids,
      float[] targets,
      long seed,
      int epoch) {
    INDArray images = images(vit, pixels, ids.length);
    INDArray[] features = {images};
    INDArray[] masks =
        objective == Objective.SL ? null : new INDArray[] {masks(vit, ids, seed, epoch)};
    INDArray[] labels =
        switch (objective) {
          case SSL -> new INDArray[] {images};
          case SL -> new INDArray[] {distributions(vit, targets)};
          case JOINT -> new INDArray[] {images, distributions(vit, targets)};
        };
    return new org.nd4j.linalg.dataset.MultiDataSet(features, labels, masks, null);
  }

  /**
   * Labels as distributions over the classes.
   *
   * @param labels classes, −1 where an image has none
   * @param smoothing share of a label's probability spread over all classes
   * @return [images, classes]
   */
  public static float[] targets(ViT vit, int[] labels, double smoothing) {
    float[] targets = new float[labels.length * vit.classes()];
    for (int i = 0; i < labels.length; i++) {
      if (labels[i] >= 0) {
        int from = i * vit.classes();
        Arrays.fill(targets, from, from + vit.classes(), (float) (smoothing / vit.classes()));
        targets[from + labels[i]] += (float) (1 - smoothing);
      }
    }
    return targets;
  }

  static INDArray images(ViT vit, float[] pixels, int images) {
    return Nd4j.create(
        pixels, new long[] {images, vit.channels(), vit.imageSize(), vit.imageSize()}, 'c');
  }

  private static INDArray distributions(ViT vit, float[] targets) {
    return Nd4j.create(targets, new long[] {targets.length / vit.classes(), vit.classes()}, 'c');
  }

  private static INDArray masks(ViT vit, long[] ids, long seed, int epoch) {
    float[] mask = new float[ids.length * vit.patches()];
    for (int i = 0; i < ids.length; i++) {
      for (int patch : visible(vit, Seed.MASK.at(seed, epoch, ids[i]))) {
        mask[i * vit.patches() + patch] = 1;
      }
    }
    return Nd4j.create(mask, new long[] {ids.length, vit.patches()}, 'c');
  }

  /** A uniformly random choice of visible patches. */
  static int[] visible(ViT vit, SplittableRandom random) {
    int[] patches = new int[vit.patches()];
    for (int i = 0; i < patches.length; i++) {
      patches[i] = i;
    }
    int[] chosen = new int[vit.visiblePatches()];
    for (int i = 0; i < chosen.length; i++) {
      int j = i + random.nextInt(patches.length - i);
      chosen[i] = patches[j];
      patches[j] = patches[i];
    }
    return chosen;
  }
}
