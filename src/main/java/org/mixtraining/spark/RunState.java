package org.mixtraining.spark;

import java.util.Map;
import org.mixtraining.config.JobConfig;
import org.mixtraining.schedule.MixSchedule;
import org.mixtraining.schedule.Patience;
import org.mixtraining.vit.ModelState;

/**
 * Where a run stands between two epochs: with configuration and data, all that the epochs to come
 * depend on. A run that goes on from here ends with the bits of one that was never stopped.
 *
 * @param epochs epochs behind it, so the position of the next one in the schedule
 * @param model the averaged model
 * @param averaging what the averaging itself carries from epoch to epoch, as blocks without
 *     moments: the velocities of {@link OuterStep}; none where the plain average is taken
 * @param patience how long it has waited for a better model
 * @param deal how the next epoch's shards are dealt
 */
public record RunState(
    int epochs, ModelState model, ModelState averaging, Patience patience, Deal deal) {

  /** Before the first epoch. */
  static RunState initial(ModelState model) {
    return new RunState(0, model, new ModelState(Map.of()), Patience.FRESH, Deal.EQUAL);
  }

  /** The plan of its run, as far as it is known here. */
  MixSchedule schedule(JobConfig config) {
    return MixSchedule.of(config).endedBy(patience, config);
  }

  /** Whether no epoch follows in a run of this configuration. */
  public boolean isLast(JobConfig config) {
    return epochs >= schedule(config).epochs().size();
  }
}
