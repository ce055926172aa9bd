package org.mixtraining.vit;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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
   * @param head the head of the task that the images belong to
   * @param ids of the images
   */
  public record Position(int step, int steps, String head, List<Long> ids) implements Serializable {
    public Position {
      ids = List.copyOf(ids);
    }

    /**
     * The position that a minibatch was given.
     *
     * @throws IllegalArgumentException if it was given none
     */
    public static Position of(MultiDataSet minibatch) {
      List<?> metadata = minibatch.getExampleMetaData();
      if (metadata == null || !(metadata.get(0) instanceof Position position)) {
        throw new IllegalArgumentException("a minibatch must be marked with its Batch.Position");
      }
      return position;
    }

    /** Gives the minibatch this position; {@link StoredImages} stay behind it. */
    public void mark(MultiDataSet minibatch) {
      List<Serializable> metadata = new ArrayList<>(List.of(this));
      StoredImages.of(minibatch).ifPresent(metadata::add);
      minibatch.setExampleMetaData(metadata);
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
   * The same with images as they are stored, for a device that prepares them: the features have
   * their number only.
   *
   * @param position of the minibatch, which it is marked with
   */
  public static MultiDataSet stored(
      ViT vit, Objective objective, StoredImages images, Position position, float[] targets) {
    INDArray none = Nd4j.zeros(position.ids().size(), 1, 1, 1);
    INDArray[] labels =
        switch (objective) {
          case SSL -> new INDArray[] {none};
          case SL -> new INDArray[] {distributions(vit, targets)};
          case JOINT -> new INDArray[] {none, distributions(vit, targets)};
        };
    var minibatch =
        new org.nd4j.linalg.dataset.MultiDataSet(new INDArray[] {none}, labels, null, null);
    minibatch.setExampleMetaData(List.of(position, images));
    return minibatch;
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

  /**
   * The minibatch of one task for a graph with the heads of several: to the others, which come with
   * labels for none of its images, it means nothing.
   *
   * @param minibatch of {@link #training}, with labels for the single head {@code own}
   */
  public static MultiDataSet among(List<Head> heads, Head own, MultiDataSet minibatch) {
    List<INDArray> labels = new ArrayList<>(List.of(minibatch.getLabels()));
    INDArray targets = labels.remove(labels.size() - 1);
    for (Head head : heads) {
      labels.add(head.equals(own) ? targets : Nd4j.zeros(targets.size(0), head.classes()));
    }
    var among =
        new org.nd4j.linalg.dataset.MultiDataSet(
            minibatch.getFeatures(),
            labels.toArray(INDArray[]::new),
            minibatch.getFeaturesMaskArrays(),
            null);
    among.setExampleMetaData(minibatch.getExampleMetaData());
    return among;
  }

  static INDArray images(ViT vit, float[] pixels, int images) {
    return Nd4j.create(
        colours(vit, pixels, images),
        new long[] {images, vit.channels(), vit.imageSize(), vit.imageSize()},
        'c');
  }

  /**
   * Grey pixels become colours for a model that sees colours.
   *
   * @param pixels [images, channels or 1, size, size]
   * @return [images, channels, size, size]
   */
  public static float[] colours(ViT vit, float[] pixels, int images) {
    int area = vit.imageSize() * vit.imageSize();
    boolean grey = vit.channels() > 1 && pixels.length == images * area;
    return grey ? repeated(pixels, area, vit.channels()) : pixels;
  }

  private static float[] repeated(float[] planes, int area, int times) {
    float[] repeated = new float[planes.length * times];
    for (int at = 0; at < repeated.length; at += area) {
      System.arraycopy(planes, at / area / times * area, repeated, at, area);
    }
    return repeated;
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
