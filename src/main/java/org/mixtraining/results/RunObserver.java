package org.mixtraining.results;

/** Observer of a run's rows, called when they have been written. */
public interface RunObserver {

  /** The new status of the run: when it starts, after each epoch, and at its end. */
  void run(RunRow row);

  /** A finished epoch; called before the run's row that counts it. */
  default void epoch(EpochRow row) {}
}
