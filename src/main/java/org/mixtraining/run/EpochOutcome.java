package org.mixtraining.run;

import java.util.List;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Rounds;
import org.mixtraining.train.EpochMetrics;
import org.mixtraining.vit.state.ModelState;

/**
 * A finished epoch.
 *
 * @param plan what was to be done
 * @param state of the run after it
 * @param workers each worker's share, in worker order
 * @param rounds after each of which the workers were averaged
 * @param syncBytes state sent to and from the workers
 * @param scores of the model after it; of no image where the epoch is not scored
 * @param trainingSeconds wall time of training
 * @param seconds wall time of the epoch: of training and evaluation
 */
public record EpochOutcome(
    EpochPlan plan,
    RunState state,
    List<WorkerShare> workers,
    Rounds rounds,
    long syncBytes,
    EpochScores scores,
    double trainingSeconds,
    double seconds) {

  /** The model after it. */
  public ModelState model() {
    return state.model();
  }

  /** Sums over all workers. */
  public EpochMetrics metrics() {
    return workers.stream()
        .map(WorkerShare::metrics)
        .reduce(EpochMetrics::plus)
        .orElse(EpochMetrics.NONE);
  }

  /**
   * Wall time of training beyond the slowest worker's: broadcast, scheduling, collecting and
   * averaging.
   */
  public double syncSeconds() {
    return trainingSeconds
        - workers.stream().mapToDouble(share -> share.task().seconds()).max().orElse(0);
  }

  /** Wall time of evaluation. */
  public double evaluationSeconds() {
    return seconds - trainingSeconds;
  }
}
