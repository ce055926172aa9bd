package org.mixtraining.run;

import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.train.NonFiniteLossException;

/** Trains the workers of a run for an epoch. */
@FunctionalInterface
public interface EpochTrainer {

  /**
   * @param state of the run before the epoch, with the moments of the plan's objective
   * @throws org.mixtraining.config.UserException if a shard is missing
   * @throws NonFiniteLossException if a worker's loss becomes NaN or infinite
   */
  EpochResult train(EpochPlan plan, RunState state);
}
