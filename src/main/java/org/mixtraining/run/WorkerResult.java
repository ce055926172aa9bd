package org.mixtraining.run;

import java.io.Serializable;
import java.util.List;
import java.util.stream.IntStream;
import org.mixtraining.train.EpochMetrics;
import org.mixtraining.vit.state.ModelState;

/**
 * A worker's state and metrics after a round, or after an epoch of them.
 *
 * @param worker logical worker, from 0
 * @param state where its parameters and moments ended
 * @param metrics sums over its images
 * @param task that trained it
 */
public record WorkerResult(int worker, ModelState state, EpochMetrics metrics, TaskInfo task)
    implements Serializable {

  /** This and the worker's next round as one. */
  WorkerResult then(WorkerResult next) {
    return new WorkerResult(worker, next.state, metrics.then(next.metrics), task.then(next.task));
  }

  /**
   * The rounds of an epoch as one.
   *
   * @param rounds the results of each, in worker order
   */
  public static List<WorkerResult> epoch(List<List<WorkerResult>> rounds) {
    return rounds.stream()
        .reduce(
            (before, next) ->
                IntStream.range(0, next.size())
                    .mapToObj(w -> before.get(w).then(next.get(w)))
                    .toList())
        .orElseThrow();
  }

  /** The same with a state that holds step counts but no values. */
  public WorkerResult report() {
    return new WorkerResult(worker, state.withoutValues(), metrics, task);
  }
}
