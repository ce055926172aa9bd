package org.mixtraining.schedule;

import java.io.Serializable;

/**
 * Linear warm-up, then half a cosine down to {@code min}, as a function of the position in the run
 * counted in epochs (so replicas with unequal step counts stay aligned). As in the MAE reference
 * code's {@code lr_sched.py}.
 *
 * @param peak rate at the end of the warm-up
 * @param min rate at the end of the run
 * @param warmup length of the warm-up in epochs
 * @param epochs length of the run in epochs
 */
public record LearningRate(double peak, double min, double warmup, double epochs)
    implements Serializable {

  /** The rate at a position in [0, epochs]. */
  public double at(double position) {
    if (position < warmup) {
      return peak * position / warmup;
    }
    double progress = epochs <= warmup ? 1 : Math.min(1, (position - warmup) / (epochs - warmup));
    return min + (peak - min) * 0.5 * (1 + Math.cos(Math.PI * progress));
  }
}
