package org.mixtraining.vit;

import org.nd4j.linalg.schedule.ISchedule;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/** The same learning rate at every step: what a graph has before it is given an epoch's plan. */
public record ConstantLearningRate(@JsonProperty("value") double value) implements ISchedule {

  @JsonCreator
  public ConstantLearningRate {}

  @Override
  public double valueAt(int iteration, int epoch) {
    return value;
  }

  @Override
  @SuppressWarnings("MethodDoesntCallSuperMethod")
  public ISchedule clone() {
    return this;
  }
}
