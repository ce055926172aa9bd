package org.mixtraining.train;

import java.io.Serializable;

/**
 * Predictions held against labels.
 *
 * @param images images evaluated
 * @param correct images whose most probable class was their label's
 * @param lossSum sum of −log of the probability given to the label
 */
public record Score(long images, long correct, double lossSum) implements Serializable {

  /** Of no image. */
  public static final Score NONE = new Score(0, 0, 0);

  public Score plus(Score other) {
    return new Score(images + other.images, correct + other.correct, lossSum + other.lossSum);
  }

  /** Share of correct images; NaN of none. */
  public double accuracy() {
    return (double) correct / images;
  }

  /** Mean cross-entropy in nats; NaN of none. */
  public double loss() {
    return lossSum / images;
  }
}
