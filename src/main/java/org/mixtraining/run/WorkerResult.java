package org.mixtraining.run;

import java.io.Serializable;
import java.util.SortedMap;
import java.util.TreeMap;
import org.mixtraining.train.EpochMetrics;
import org.mixtraining.vit.state.ModelState;
import org.mixtraining.vit.state.ModelState.Block;

/**
 * A worker's state and metrics after an epoch.
 *
 * @param worker logical worker, from 0
 * @param state where its parameters and moments ended
 * @param metrics sums over its images
 * @param task that trained it
 */
public record WorkerResult(int worker, ModelState state, EpochMetrics metrics, TaskInfo task)
    implements Serializable {

  /** The same with a state that holds step counts but no values. */
  public WorkerResult report() {
    float[] none = {};
    SortedMap<String, Block> blocks = new TreeMap<>();
    state.blocks().forEach((name, b) -> blocks.put(name, new Block(none, none, none, b.steps())));
    return new WorkerResult(worker, new ModelState(blocks), metrics, task);
  }
}
