package org.mixtraining.vit.optim;

import java.util.Map;
import org.mixtraining.kernels.AdamStep;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.vit.AdamW;
import org.mixtraining.vit.ConstantLearningRate;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.schedule.ISchedule;

/**
 * The updater of parameters of one block, with its state: first moments, second moments, step
 * count. A block that sat out an objective's epochs has taken fewer steps than the graph, and its
 * bias correction must know. As in PyTorch, the count is a float, exact up to 2^24.
 */
public final class AdamWUpdater implements GradientUpdater<AdamW> {

  private static final ISchedule REST = new ConstantLearningRate(0);

  private AdamW config;
  private Matrix state; // [m | v | steps, and a spare value for each further parameter]
  private boolean resting;

  public AdamWUpdater(AdamW config, INDArray state, boolean initialize) {
    this.config = config;
    bind(state, initialize);
  }

  private void bind(INDArray view, boolean initialize) {
    if (initialize) {
      view.assign(0);
    }
    state = Matrix.of(view);
  }

  /** With the learning rates of the step: Deeplearning4j asks here for that of the weight decay. */
  @Override
  public AdamW getConfig() {
    return resting ? config.with(REST) : config;
  }

  public String block() {
    return config.block();
  }

  /** Sets the learning rates by the graph's iteration count. */
  public void plan(ISchedule learningRates) {
    config = config.with(learningRates);
  }

  /** Whether it sits the graph's next steps out, which then are none of the block's. */
  public void rest(boolean resting) {
    this.resting = resting;
  }

  /** Steps that the block has taken. */
  public long steps() {
    return (long) state.get(0, state.cols() - 1);
  }

  public void steps(long steps) {
    state.set(0, state.cols() - 1, steps);
  }

  @Override
  public void applyUpdater(INDArray gradient, int iteration, int epoch) {
    Matrix g = Matrix.of(gradient);
    if (resting) {
      g.fill(0);
      return;
    }
    int n = g.cols();
    double lr = config.getLearningRate(iteration, epoch);
    steps(steps() + 1);
    var step = new AdamStep(lr, config.beta1(), config.beta2(), AdamW.EPSILON, steps());
    ParameterLoop.over(
        n,
        (kernels, from, size) ->
            kernels.adamW(
                g.slice(from, 1, size),
                state.slice(from, 1, size),
                state.slice(n + from, 1, size),
                step));
  }

  @Override
  public void setStateViewArray(
      INDArray view, long[] gradientShape, char gradientOrder, boolean initialize) {
    bind(view, initialize);
  }

  @Override
  public void setState(Map<String, INDArray> state, boolean initialize) {
    throw new UnsupportedOperationException("the state is one array: moments and step count");
  }

  @Override
  public Map<String, INDArray> getState() {
    throw new UnsupportedOperationException("the state is one array: moments and step count");
  }
}
