package org.mixtraining.checkpoint;

/**
 * Another process, which is alive, trains the run: nothing is wrong, and the same start succeeds
 * once that one has ended. Commands exit with code 4, on which schedulers try again.
 */
public final class RunHeldException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  RunHeldException(String message) {
    super(message);
  }
}
