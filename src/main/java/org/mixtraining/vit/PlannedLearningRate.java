package org.mixtraining.vit;

import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.LearningRate;
import org.nd4j.linalg.schedule.ISchedule;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * The learning rates of one epoch: {@link LearningRate} at {@code epoch + iteration / steps}. The
 * graph's iteration count is 0 at the epoch's first step.
 */
record PlannedLearningRate(
    @JsonProperty("peak") double peak,
    @JsonProperty("min") double min,
    @JsonProperty("warmup") double warmup,
    @JsonProperty("start") double start,
    @JsonProperty("epochs") double epochs,
    @JsonProperty("epoch") int epoch,
    @JsonProperty("steps") int steps)
    implements ISchedule {

  @JsonCreator
  PlannedLearningRate {}

  static PlannedLearningRate of(EpochPlan plan, int steps) {
    LearningRate rate = plan.learningRate();
    return new PlannedLearningRate(
        rate.peak(), rate.min(), rate.warmup(), rate.start(), rate.epochs(), plan.epoch(), steps);
  }

  @Override
  public double valueAt(int iteration, int ignored) {
    return new LearningRate(peak, min, warmup, start, epochs)
        .at(epoch + (double) iteration / steps);
  }

  @Override
  @SuppressWarnings("MethodDoesntCallSuperMethod")
  public ISchedule clone() {
    return this;
  }
}
