package org.mixtraining.vit;

import org.mixtraining.kernels.Matrix;
import org.mixtraining.vit.optim.ParameterLoop;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.linalg.learning.regularization.WeightDecay;
import org.nd4j.linalg.schedule.ISchedule;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * AdamW's decay term, learning rate · decay · weight, added to the update after the moments. It is
 * no part of the loss, so its score is 0, which also saves a pass over the weights every step.
 */
public final class DecoupledWeightDecay extends WeightDecay {

  DecoupledWeightDecay(double coefficient) {
    super(coefficient, true);
  }

  /** For Jackson. */
  DecoupledWeightDecay(
      @JsonProperty("coeff") ISchedule coeff, @JsonProperty("applyLR") boolean applyLR) {
    super(coeff, applyLR);
  }

  /** On all of an engine's threads, where the superclass would take one. */
  @Override
  public void apply(INDArray param, INDArray update, double lr, int iteration, int epoch) {
    double decay = coeff.valueAt(iteration, epoch) * (applyLR ? lr : 1);
    Matrix weights = Matrix.of(param);
    Matrix updates = Matrix.of(update);
    ParameterLoop.over(
        weights.cols(),
        (kernels, from, size) ->
            kernels.addScaled(weights.slice(from, 1, size), decay, updates.slice(from, 1, size)));
  }

  @Override
  public double score(INDArray param, int iteration, int epoch) {
    return 0;
  }

  @Override
  @SuppressWarnings("MethodDoesntCallSuperMethod")
  public Regularization clone() {
    return new DecoupledWeightDecay(coeff.clone(), applyLR);
  }
}
