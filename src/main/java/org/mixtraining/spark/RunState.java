package org.mixtraining.spark;

import org.mixtraining.config.JobConfig;
import org.mixtraining.schedule.Patience;
import org.mixtraining.vit.ModelState;

/**
 * All that a run carries from one epoch to the next: who has it and the configuration can go on
 * from there, to the same bits.
 */
public record RunState(ModelState model, OuterMomentum outer, Patience patience) {

  /** Of a run that begins with a model. */
  public static RunState of(ModelState initial, JobConfig config) {
    return new RunState(
        initial, OuterMomentum.ZERO, Patience.of(config.earlyStopping().patience()));
  }
}
