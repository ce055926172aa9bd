package org.mixtraining.run;

import java.util.List;
import org.mixtraining.train.EpochMetrics;
import org.mixtraining.vit.state.ModelState;

/**
 * One worker's share of an epoch.
 *
 * @param worker logical worker, from 0
 * @param metrics sums over its images
 * @param task that trained it
 * @param weight its weight in the average of all blocks but the heads
 */
public record WorkerShare(int worker, EpochMetrics metrics, TaskInfo task, double weight) {

  /**
   * The shares of all workers.
   *
   * @param results in worker order
   */
  public static List<WorkerShare> of(List<WorkerResult> results) {
    double[] weights = RoundAverage.weights(results, ModelState.ENCODER);
    return results.stream()
        .map(r -> new WorkerShare(r.worker(), r.metrics(), r.task(), weights[r.worker()]))
        .toList();
  }
}
