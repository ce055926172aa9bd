package org.mixtraining.train;

import java.util.List;
import org.mixtraining.kernels.Device;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.StepResult;

/**
 * The executor of a replica's training steps: its own graph, or the device of a {@link
 * StepAccelerator}, which has the state to itself between a round's beginning and its end.
 */
public interface StepExecutor extends AutoCloseable {

  /** The executor for a replica on a device, to which the calling thread is bound. */
  static StepExecutor of(Replica replica, Device device) {
    return device
        .accelerator()
        .filter(StepAccelerator.class::isInstance)
        .map(accelerator -> ((StepAccelerator) accelerator).executor(replica, device))
        .orElseGet(() -> new GraphSteps(replica));
  }

  /**
   * Begins a round with the state that the replica holds.
   *
   * @param steps of the whole epoch
   */
  void begin(EpochPlan plan, int steps);

  /**
   * Takes a step.
   *
   * @param minibatch with {@link TrainingBatch.Prepared} images; for a device they may be raw
   * @return results of the round's steps, oldest first, as far as they are known and were not
   *     returned yet
   */
  List<StepResult> take(TrainingBatch minibatch);

  /**
   * Ends the round: the replica then holds the state reached.
   *
   * @return the results that are left
   */
  List<StepResult> end();

  /** Frees what it has of its own. */
  @Override
  default void close() {}
}
