package org.mixtraining.vit;

import java.util.Map;
import org.mixtraining.kernels.Mat;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.GradientUpdater;

/** The state of an {@link AdamW} block, [first moments | second moments], and its step. */
final class AdamWUpdater implements GradientUpdater<AdamW> {

  private final AdamW config;
  private Mat moments;

  AdamWUpdater(AdamW config, INDArray state, boolean initialize) {
    this.config = config;
    bind(state, initialize);
  }

  private void bind(INDArray state, boolean initialize) {
    if (initialize) {
      state.assign(0);
    }
    moments = Mat.of(state);
  }

  @Override
  public AdamW getConfig() {
    return config;
  }

  @Override
  public void applyUpdater(INDArray gradient, int iteration, int epoch) {
    Mat g = Mat.of(gradient);
    if (config.resting()) {
      g.fill(0);
      return;
    }
    int n = g.cols();
    double lr = config.getLearningRate(iteration, epoch);
    long step = config.steps() + iteration + 1;
    FlatPass.over(
        n,
        (kernels, from, size) ->
            kernels.adamW(
                g.slice(from, 1, size),
                moments.slice(from, 1, size),
                moments.slice(n + from, 1, size),
                lr,
                config.beta1(),
                config.beta2(),
                AdamW.EPSILON,
                step));
  }

  @Override
  public void setStateViewArray(
      INDArray view, long[] gradientShape, char gradientOrder, boolean initialize) {
    bind(view, initialize);
  }

  @Override
  public void setState(Map<String, INDArray> state, boolean initialize) {
    throw new UnsupportedOperationException("the state is one array: first moments, then second");
  }

  @Override
  public Map<String, INDArray> getState() {
    throw new UnsupportedOperationException("the state is one array: first moments, then second");
  }
}
