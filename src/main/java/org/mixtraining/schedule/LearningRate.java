package org.mixtraining.schedule;

import java.io.Serializable;

/**
 * Linear warm-up, then half a cosine down to {@code min}, as a function of the position in the run
 * counted in epochs (so replicas with unequal step counts stay aligned). As in the MAE reference
 * code's {@code lr_sched.py}. It spans the run, or one phase of it.
 *
 * @param peak rate at the end of the warm-up
 * @param min rate at the end
 * @param warmup length of the warm-up in epochs
 * @param start epochs of the run before it
 * @param epochs its length in epochs
 */
public record LearningRate(double peak, double min, double warmup, double start, double epochs)
    implements Serializable {

  /** From the start of a run. */
  public LearningRate(double peak, double min, double warmup, double epochs) {
    this(peak, min, warmup, 0, epochs);
  }

  /** The rate at a position of the run in [start, start + epochs]. */
  public double at(double ofRun) {
    double position = ofRun - start;
    if (position < warmup) {
      return peak * position / warmup;
    }
    double progress = epochs <= warmup ? 1 : Math.min(1, (position - warmup) / (epochs - warmup));
    return min + (peak - min) * 0.5 * (1 + Math.cos(Math.PI * progress));
  }
}
