package org.mixtraining.vit;

import java.util.Map;
import java.util.Objects;
import org.apache.commons.lang3.builder.EqualsBuilder;
import org.mixtraining.vit.optim.AdamWUpdater;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.schedule.ISchedule;

/**
 * AdamW (Loshchilov and Hutter, arXiv 1711.05101) as the configuration of a Deeplearning4j updater
 * that serves one parameter block. The decay term is {@link DecoupledWeightDecay}'s; moments and
 * step count are {@link AdamWUpdater}'s.
 *
 * <p>Deeplearning4j's own Adam puts epsilon inside the bias correction; this one is PyTorch's.
 */
public final class AdamW implements IUpdater {
  private static final long serialVersionUID = 2L;

  /** Keeps the update finite where second moments are 0; PyTorch's default. */
  public static final double EPSILON = 1e-8;

  private String block;
  private double scale;
  private double beta1;
  private double beta2;
  private ISchedule learningRate;

  /** For Jackson. */
  AdamW() {}

  /**
   * @param block the parameter block that it serves; blocks never share an updater
   * @param scale factor on the learning rate
   */
  AdamW(String block, double scale, double beta1, double beta2, ISchedule learningRate) {
    this.block = block;
    this.scale = scale;
    this.beta1 = beta1;
    this.beta2 = beta2;
    this.learningRate = learningRate;
  }

  /** The same with other learning rates. */
  public AdamW with(ISchedule learningRate) {
    return new AdamW(block, scale, beta1, beta2, learningRate);
  }

  public String block() {
    return block;
  }

  /** Factor on the learning rate. */
  double scale() {
    return scale;
  }

  public double beta1() {
    return beta1;
  }

  public double beta2() {
    return beta2;
  }

  /** Both moments, and one value more for {@link AdamWUpdater}'s step count. */
  @Override
  public long stateSize(long numParams) {
    return 2 * numParams + 1;
  }

  @Override
  public GradientUpdater<AdamW> instantiate(INDArray viewArray, boolean initialize) {
    return new AdamWUpdater(this, viewArray, initialize);
  }

  @Override
  public GradientUpdater<AdamW> instantiate(Map<String, INDArray> state, boolean initialize) {
    throw new UnsupportedOperationException("the state is one array: moments and step count");
  }

  @Override
  public double getLearningRate(int iteration, int epoch) {
    return scale * learningRate.valueAt(iteration, epoch);
  }

  @Override
  public boolean hasLearningRate() {
    return true;
  }

  /** For {@code ComputationGraph.setLearningRate}; a {@link Replica}'s epochs bring their own. */
  @Override
  public void setLrAndSchedule(double lr, ISchedule schedule) {
    learningRate = schedule != null ? schedule : new ConstantLearningRate(lr);
  }

  @Override
  @SuppressWarnings("MethodDoesntCallSuperMethod")
  public AdamW clone() {
    return with(learningRate.clone());
  }

  @Override
  public boolean equals(Object other) {
    return EqualsBuilder.reflectionEquals(this, other);
  }

  @Override
  public int hashCode() {
    return Objects.hash(block, beta1, beta2);
  }
}
