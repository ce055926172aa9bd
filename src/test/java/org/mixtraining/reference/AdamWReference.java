package org.mixtraining.reference;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * AdamW as in PyTorch (Loshchilov and Hutter, arXiv 1711.05101), in double precision: decoupled
 * decay of the tensors named {@code *.weight}, bias correction, epsilon outside the correction.
 */
public record AdamWReference(double lr, double beta1, double beta2, double eps, double decay) {

  /** A tensor, its two moments, and how many steps it has taken. */
  public static final class Slot {
    private final double[] weights;
    private final double[] m;
    private final double[] v;
    private final int steps;

    private Slot(double[] weights, double[] m, double[] v, int steps) {
      this.weights = weights;
      this.m = m;
      this.v = v;
      this.steps = steps;
    }

    /** A tensor before its first step: no moments. */
    public static Slot fresh(double[] weights) {
      return new Slot(weights, new double[weights.length], new double[weights.length], 0);
    }

    public double[] weights() {
      return weights;
    }

    public double[] m() {
      return m;
    }

    public double[] v() {
      return v;
    }

    public int steps() {
      return steps;
    }
  }

  /**
   * The state after one step; nothing is changed in place. A tensor without a gradient sits the
   * step out: neither moments, nor decay, nor step count.
   */
  public Map<String, Slot> step(Map<String, Slot> state, Map<String, double[]> gradients) {
    Map<String, Slot> next = new LinkedHashMap<>(state);
    gradients.forEach(
        (name, gradient) ->
            next.put(name, step(state.get(name), gradient, name.endsWith(".weight") ? decay : 0)));
    return next;
  }

  private Slot step(Slot slot, double[] gradient, double decay) {
    int steps = slot.steps + 1;
    Slot next = new Slot(slot.weights.clone(), slot.m.clone(), slot.v.clone(), steps);
    double correction1 = 1 - Math.pow(beta1, steps);
    double correction2 = 1 - Math.pow(beta2, steps);
    for (int i = 0; i < gradient.length; i++) {
      double g = gradient[i];
      next.m[i] = beta1 * slot.m[i] + (1 - beta1) * g;
      next.v[i] = beta2 * slot.v[i] + (1 - beta2) * g * g;
      double direction = next.m[i] / correction1 / (Math.sqrt(next.v[i] / correction2) + eps);
      next.weights[i] = slot.weights[i] * (1 - lr * decay) - lr * direction;
    }
    return next;
  }
}
