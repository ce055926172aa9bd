package org.mixtraining.spark;

import java.util.List;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.train.EpochMetrics;
import org.mixtraining.train.Scores;
import org.mixtraining.vit.state.ModelState;

/**
 * A finished epoch.
 *
 * @param plan what was to be done
 * @param reached where the run stands after it
 * @param metrics sums over all workers
 * @param workers each worker's share, in worker order
 * @param validation scores on the held-out images; of no image where the epoch is not scored
 * @param test scores on the test images; of no image where the epoch is not scored
 * @param syncSeconds wall time of training beyond the slowest worker's: broadcast, scheduling,
 *     collecting and averaging
 * @param evaluationSeconds wall time of evaluation
 * @param evaluationFlops its floating-point operations by formula
 * @param evaluationDeviceSeconds seconds of its tasks times the devices that they held
 * @param seconds wall time of the epoch
 * @param syncBytes state sent to and from the workers
 */
public record EpochOutcome(
    EpochPlan plan,
    RunState reached,
    EpochMetrics metrics,
    List<WorkerShare> workers,
    Scores validation,
    Scores test,
    double syncSeconds,
    double evaluationSeconds,
    double evaluationFlops,
    double evaluationDeviceSeconds,
    double seconds,
    long syncBytes) {

  /** The averaged model after it. */
  public ModelState state() {
    return reached.model();
  }

  /**
   * One worker's share of an epoch.
   *
   * @param weight its weight in the average of all blocks but the heads
   */
  public record WorkerShare(int worker, EpochMetrics metrics, TaskInfo place, double weight) {}
}
