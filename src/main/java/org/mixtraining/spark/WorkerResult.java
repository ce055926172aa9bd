package org.mixtraining.spark;

import java.io.Serializable;
import java.util.SortedMap;
import java.util.TreeMap;
import org.deeplearning4j.spark.api.TrainingResult;
import org.deeplearning4j.spark.api.stats.SparkTrainingStats;
import org.mixtraining.train.EpochMetrics;
import org.mixtraining.vit.state.ModelState;
import org.mixtraining.vit.state.ModelState.Block;

/**
 * What a worker hands back after an epoch.
 *
 * @param worker logical worker, from 0
 * @param state where its parameters and moments ended
 * @param metrics sums over its images
 * @param place where it ran
 */
record WorkerResult(int worker, ModelState state, EpochMetrics metrics, TaskInfo place)
    implements TrainingResult, Serializable {

  /** The same with a state that holds step counts but no values. */
  WorkerResult report() {
    float[] none = {};
    SortedMap<String, Block> blocks = new TreeMap<>();
    state.blocks().forEach((name, b) -> blocks.put(name, new Block(none, none, none, b.steps())));
    return new WorkerResult(worker, new ModelState(blocks), metrics, place);
  }

  @Override
  public void setStats(SparkTrainingStats stats) {
    // Times are part of the metrics; dl4j-spark's own statistics ask a time server.
  }
}
