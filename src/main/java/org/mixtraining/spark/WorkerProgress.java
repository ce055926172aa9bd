package org.mixtraining.spark;

import java.io.Serializable;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.train.EpochMetrics;

/**
 * Progress of a worker in an epoch.
 *
 * @param plan the epoch
 * @param worker logical worker, from 0
 * @param done steps behind it
 * @param steps steps of its epoch
 * @param soFar sums over the steps behind it
 */
public record WorkerProgress(EpochPlan plan, int worker, int done, int steps, EpochMetrics soFar)
    implements Serializable {

  public double imagesPerSecond() {
    return soFar.images() / (soFar.computeSeconds() + soFar.waitSeconds());
  }
}
