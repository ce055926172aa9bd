package org.mixtraining.spark;

import org.mixtraining.config.JobConfig;
import org.mixtraining.schedule.Patience;
import org.mixtraining.vit.ModelState;

/**
 * All that a run carries from one epoch to the next: who has it and the configuration can go on
 * from there, to the same bits.
 *
 * @param epochs epochs behind it, so the position of the next one in the schedule
 * @param model the averaged model
 * @param outer what the averaging carries
 * @param patience how long it has waited for a better model
 */
public record RunState(int epochs, ModelState model, OuterMomentum outer, Patience patience) {

  /** Of a run that begins with a model. */
  public static RunState of(ModelState initial, JobConfig config) {
    return new RunState(
        0, initial, OuterMomentum.ZERO, Patience.of(config.earlyStopping().patience()));
  }

  /**
   * Whether no epoch follows.
   *
   * @param planned epochs of the schedule
   */
  public boolean isLast(int planned) {
    return epochs >= planned || patience.exhausted();
  }
}
