package org.mixtraining.train;

/** Listener to the steps of a worker's epoch. */
@FunctionalInterface
public interface StepListener {

  /** Does not listen. */
  StepListener NONE = (done, steps, soFar) -> {};

  /**
   * @param done steps behind it, of {@code steps}
   * @param soFar sums over them
   */
  void step(int done, int steps, EpochMetrics soFar);
}
