package org.mixtraining.jobs;

/** A run was interrupted; the message says how to resume it. */
public final class InterruptedRunException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  InterruptedRunException(String message, Throwable cause) {
    super(message, cause);
  }
}
