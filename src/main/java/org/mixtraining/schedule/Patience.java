package org.mixtraining.schedule;

import java.io.Serializable;

/**
 * How long a run has waited for a better validation accuracy.
 *
 * @param best the best accuracy so far; −1 if there is none
 * @param waited epochs since then
 */
public record Patience(double best, int waited) implements Serializable {

  /** Of a run that has not begun to wait. */
  public static final Patience FRESH = new Patience(-1, 0);

  /** After one more epoch with the given validation accuracy. */
  public Patience after(double accuracy) {
    return accuracy > best ? new Patience(accuracy, 0) : new Patience(best, waited + 1);
  }

  /**
   * @param limit epochs that it waits; 0 is for ever
   */
  public boolean exhausted(int limit) {
    return limit > 0 && waited >= limit;
  }
}
