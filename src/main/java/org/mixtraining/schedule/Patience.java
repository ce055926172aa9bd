package org.mixtraining.schedule;

import java.io.Serializable;

/**
 * How long a run has waited for a better validation accuracy.
 *
 * @param limit epochs that it waits; 0 is for ever
 * @param best the best accuracy so far
 * @param waited epochs since then
 */
public record Patience(int limit, double best, int waited) implements Serializable {

  /** Of a run that has not begun to wait. */
  public static Patience of(int limit) {
    return new Patience(limit, Double.NEGATIVE_INFINITY, 0);
  }

  /** After one more epoch with the given validation accuracy. */
  public Patience after(double accuracy) {
    return accuracy > best
        ? new Patience(limit, accuracy, 0)
        : new Patience(limit, best, waited + 1);
  }

  public boolean exhausted() {
    return limit > 0 && waited >= limit;
  }
}
