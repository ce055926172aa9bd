package org.mixtraining.kernels;

/**
 * A step of AdamW, the same for all of its parameters.
 *
 * @param lr learning rate
 * @param eps added to the root of the second moment
 * @param step 1-based step count of the parameters
 */
public record AdamStep(double lr, double beta1, double beta2, double eps, long step) {
  public AdamStep {
    if (step < 1) {
      throw new IllegalArgumentException("adamW: step counts from 1, got " + step);
    }
  }
}
