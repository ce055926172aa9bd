package org.mixtraining.run;

import java.io.Serializable;
import org.mixtraining.train.Scores;

/**
 * A model's scores after an epoch, and what they cost.
 *
 * @param validation on the held-out images; of no image where there are none
 * @param test on the test images; of no image where there are none
 * @param flops floating-point operations by formula
 * @param deviceSeconds seconds of its tasks times the devices that they held
 */
public record EpochScores(Scores validation, Scores test, double flops, double deviceSeconds)
    implements Serializable {

  /** Of an epoch that is not scored. */
  public static final EpochScores NONE = new EpochScores(Scores.NONE, Scores.NONE, 0, 0);

  /** Sums over parts of the images. */
  public EpochScores plus(EpochScores other) {
    return new EpochScores(
        validation.plus(other.validation),
        test.plus(other.test),
        flops + other.flops,
        deviceSeconds + other.deviceSeconds);
  }
}
