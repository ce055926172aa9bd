package org.mixtraining.spark;

import java.io.Serializable;
import org.deeplearning4j.spark.api.TrainingResult;
import org.deeplearning4j.spark.api.stats.SparkTrainingStats;
import org.mixtraining.train.EpochMetrics;
import org.mixtraining.vit.ModelState;

/**
 * What a worker hands back after an epoch.
 *
 * @param worker logical worker, from 0
 * @param state where its parameters and moments ended
 * @param metrics sums over its images
 * @param place where it ran
 */
record WorkerResult(int worker, ModelState state, EpochMetrics metrics, Place place)
    implements TrainingResult, Serializable {

  @Override
  public void setStats(SparkTrainingStats stats) {
    // Times are part of the metrics; dl4j-spark's own statistics ask a time server.
  }
}
