package org.mixtraining.train;

import java.util.Iterator;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** A worker's images of one task and epoch, as the minibatches that it trains on. */
public sealed interface TaskBatches extends Iterator<MultiDataSet>
    permits TrainingBatches, StoredBatches {

  /** Minibatches of the epoch. */
  int steps();
}
