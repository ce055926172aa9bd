package org.mixtraining.spark;

import java.util.Map;
import org.mixtraining.vit.ModelState;

/**
 * Where a run stands between two epochs: with configuration and data, all that the epochs to come
 * depend on. A run that goes on from here ends with the bits of one that was never stopped.
 *
 * @param epochs epochs behind it, so the position of the next one in the schedule
 * @param model the averaged model
 * @param averaging what the averaging itself carries from epoch to epoch, as blocks without
 *     moments; none where the plain average is taken
 */
public record RunState(int epochs, ModelState model, ModelState averaging) {

  /** Before the first epoch. */
  static RunState initial(ModelState model) {
    return new RunState(0, model, new ModelState(Map.of()));
  }
}
