package org.mixtraining.spark.exchange;

/** Slices of a state are no longer where they were put, as when their executor has died. */
public final class SlicesLostException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  SlicesLostException(String message) {
    super(message);
  }
}
