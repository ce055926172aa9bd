package org.mixtraining.schedule;

import java.io.Serializable;

/**
 * State of early stopping: the best validation accuracy and the epochs since.
 *
 * @param best the best accuracy so far; −1 if there is none
 * @param waited epochs since without an improvement
 * @param end epochs done when the patience was exhausted; 0 before that
 */
public record Patience(double best, int waited, int end) implements Serializable {

  /** The state before the first epoch. */
  public static final Patience FRESH = new Patience(-1, 0, 0);

  /** After one more epoch that was not scored. */
  public Patience unscored() {
    return exhausted() ? this : new Patience(best, waited + 1, 0);
  }

  /**
   * After one more epoch with the given validation accuracy.
   *
   * @param epochs done so far
   * @param limit epochs to wait; 0 disables early stopping
   */
  public Patience scored(double accuracy, int epochs, int limit) {
    if (exhausted()) {
      return this;
    }
    int now = accuracy > best ? 0 : waited + 1;
    return new Patience(
        accuracy > best ? accuracy : best, now, limit > 0 && now >= limit ? epochs : 0);
  }

  /** Whether the run is to end. */
  public boolean exhausted() {
    return end > 0;
  }
}
