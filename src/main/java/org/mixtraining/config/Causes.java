package org.mixtraining.config;

import java.util.stream.Stream;

/** What a failure was caused by; Spark wraps what a task threw more than once. */
public final class Causes {

  private Causes() {}

  /** The failure itself, its cause, that one's cause, and so on. */
  public static Stream<Throwable> of(Throwable failure) {
    return Stream.iterate(failure, cause -> cause != null, Throwable::getCause);
  }
}
