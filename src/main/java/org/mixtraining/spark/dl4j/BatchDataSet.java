package org.mixtraining.spark.dl4j;

import org.mixtraining.train.TrainingBatch;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;

/**
 * A training minibatch as an element of the RDDs that dl4j-spark trains on. It is used within the
 * task that makes it; arrays are made for who asks for them, of prepared images.
 */
final class BatchDataSet extends MultiDataSet {
  private static final long serialVersionUID = 1L;

  private final transient TrainingBatch batch;

  BatchDataSet(TrainingBatch batch) {
    this.batch = batch;
  }

  /**
   * The minibatch that dl4j-spark was given.
   *
   * @throws IllegalArgumentException if it was given another one than those of this class
   */
  static TrainingBatch of(org.nd4j.linalg.dataset.api.MultiDataSet minibatch) {
    if (minibatch instanceof BatchDataSet own) {
      return own.batch;
    }
    throw new IllegalArgumentException(
        "workers train on BatchDataSets, not on " + minibatch.getClass());
  }

  private org.nd4j.linalg.dataset.api.MultiDataSet arrays() {
    if (batch instanceof TrainingBatch.Prepared prepared) {
      return prepared.arrays();
    }
    throw new UnsupportedOperationException("raw images have no array: the device prepares them");
  }

  @Override
  public INDArray[] getFeatures() {
    return arrays().getFeatures();
  }

  @Override
  public INDArray getFeatures(int i) {
    return getFeatures()[i];
  }

  @Override
  public INDArray[] getLabels() {
    return arrays().getLabels();
  }

  @Override
  public INDArray getLabels(int i) {
    return getLabels()[i];
  }

  @Override
  public INDArray[] getFeaturesMaskArrays() {
    return arrays().getFeaturesMaskArrays();
  }
}
