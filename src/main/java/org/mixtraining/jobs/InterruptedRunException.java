package org.mixtraining.jobs;

/** A run was told to stop; the message says how it goes on. */
public final class InterruptedRunException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  InterruptedRunException(String message, Throwable cause) {
    super(message, cause);
  }
}
