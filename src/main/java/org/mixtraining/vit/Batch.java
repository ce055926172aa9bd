package org.mixtraining.vit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Seed;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;

/** Minibatches in the form that the graphs take. */
public final class Batch {

  private Batch() {}

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
    float[] none = {};
    return of(
        ids.length,
        vit.served().imageSize(),
        colours(vit, pixels, ids.length),
        objective == Objective.SL ? none : masks(vit, ids, seed, epoch),
        objective == Objective.SSL ? none : targets,
        objective != Objective.SL);
  }

  /**
   * The same of values that are ready. Without targets nothing is to be classified.
   *
   * @param images their number
   * @param size height and width of the images
   * @param pixels [images, channels, size, size], normalised
   * @param mask [images, patches], 1 at each visible patch; or empty
   * @param targets [images, classes]; or empty
   * @param reconstructs whether the masked patches are to be reconstructed
   */
  public static MultiDataSet of(
      int images, int size, float[] pixels, float[] mask, float[] targets, boolean reconstructs) {
    INDArray features = images(pixels, images, size);
    List<INDArray> labels = new ArrayList<>();
    if (reconstructs) {
      labels.add(features);
    }
    if (targets.length > 0) {
      labels.add(rows(targets, images));
    }
    return new org.nd4j.linalg.dataset.MultiDataSet(
        new INDArray[] {features},
        labels.toArray(INDArray[]::new),
        mask.length > 0 ? new INDArray[] {rows(mask, images)} : null,
        null);
  }

  /**
   * Labels as distributions over the classes.
   *
   * @param labels classes, −1 where an image has none
   * @param smoothing share of a label's probability spread over all classes
   * @return [images, classes]
   */
  public static float[] targets(ViT vit, int[] labels, double smoothing) {
    int classes = vit.served().classes();
    float[] targets = new float[labels.length * classes];
    for (int i = 0; i < labels.length; i++) {
      if (labels[i] >= 0) {
        int from = i * classes;
        Arrays.fill(targets, from, from + classes, (float) (smoothing / classes));
        targets[from + labels[i]] += (float) (1 - smoothing);
      }
    }
    return targets;
  }

  /**
   * The minibatch of one task for a graph with the heads of several: to the others, which come with
   * labels for none of its images, it means nothing.
   *
   * @param own name of the head that the minibatch has labels for
   */
  static MultiDataSet among(List<Head> heads, String own, MultiDataSet minibatch) {
    List<INDArray> labels = new ArrayList<>(List.of(minibatch.getLabels()));
    INDArray targets = labels.remove(labels.size() - 1);
    for (Head head : heads) {
      labels.add(head.name().equals(own) ? targets : Nd4j.zeros(targets.size(0), head.classes()));
    }
    return new org.nd4j.linalg.dataset.MultiDataSet(
        minibatch.getFeatures(),
        labels.toArray(INDArray[]::new),
        minibatch.getFeaturesMaskArrays(),
        null);
  }

  static INDArray images(ViT vit, float[] pixels, int images) {
    return images(colours(vit, pixels, images), images, vit.served().imageSize());
  }

  private static INDArray images(float[] pixels, int images, int size) {
    int channels = pixels.length / (images * size * size);
    return array(pixels, images, channels, size, size);
  }

  private static INDArray rows(float[] values, int rows) {
    return array(values, rows, values.length / rows);
  }

  /** In one copy, where {@code Nd4j.create} takes value by value. */
  private static INDArray array(float[] values, long... shape) {
    INDArray array = Nd4j.createUninitialized(DataType.FLOAT, shape, 'c');
    Matrix.of(array).write(values, 0);
    return array;
  }

  /**
   * Grey pixels become colours for a model that sees colours.
   *
   * @param pixels [images, channels or 1, size, size]
   * @return [images, channels, size, size]
   */
  public static float[] colours(ViT vit, float[] pixels, int images) {
    int area = vit.served().imageSize() * vit.served().imageSize();
    boolean grey = vit.architecture().channels() > 1 && pixels.length == images * area;
    return grey ? repeated(pixels, area, vit.architecture().channels()) : pixels;
  }

  private static float[] repeated(float[] planes, int area, int times) {
    float[] repeated = new float[planes.length * times];
    for (int at = 0; at < repeated.length; at += area) {
      System.arraycopy(planes, at / area / times * area, repeated, at, area);
    }
    return repeated;
  }

  /**
   * Which patches of each image are visible: it depends on seed, epoch and image id alone.
   *
   * @return [images, patches], 1 at each visible patch
   */
  public static float[] masks(ViT vit, long[] ids, long seed, int epoch) {
    float[] mask = new float[ids.length * vit.patches()];
    for (int i = 0; i < ids.length; i++) {
      for (int patch : visible(vit, Seed.MASK.at(seed, epoch, ids[i]))) {
        mask[i * vit.patches() + patch] = 1;
      }
    }
    return mask;
  }

  /** A uniformly random choice of visible patches. */
  static int[] visible(ViT vit, SplittableRandom random) {
    int[] patches = IntStream.range(0, vit.patches()).toArray();
    int[] chosen = new int[vit.visiblePatches()];
    for (int i = 0; i < chosen.length; i++) {
      int j = i + random.nextInt(patches.length - i);
      chosen[i] = patches[j];
      patches[j] = patches[i];
    }
    return chosen;
  }
}
