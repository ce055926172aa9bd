package org.mixtraining.results;

/** Told of a run's rows when they have been written. */
public interface RunObserver {

  /** How the run stands now; it begins, an epoch is finished, or it is over. */
  void run(RunRow row);

  /** A finished epoch; before the run's row that counts it. */
  default void epoch(EpochRow row) {}
}
