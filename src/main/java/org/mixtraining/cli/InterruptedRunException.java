package org.mixtraining.cli;

/** A run was told to stop; the message says how it goes on. */
final class InterruptedRunException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  InterruptedRunException(String message, Throwable cause) {
    super(message, cause);
  }
}
