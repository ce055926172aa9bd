package org.mixtraining.schedule;

import java.io.Serializable;

/**
 * How long a run has waited for a better validation accuracy.
 *
 * @param best the best accuracy so far; −1 if there is none
 * @param waited epochs since then
 * @param end epochs that were behind the run when its patience ran out; 0 while it has not
 */
public record Patience(double best, int waited, int end) implements Serializable {

  /** Of a run that has not begun to wait. */
  public static final Patience FRESH = new Patience(-1, 0, 0);

  /** After one more epoch that was not scored. */
  public Patience unscored() {
    return exhausted() ? this : new Patience(best, waited + 1, 0);
  }

  /**
   * After one more epoch with the given validation accuracy.
   *
   * @param epochs behind the run now
   * @param limit epochs that it waits; 0 is for ever
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
