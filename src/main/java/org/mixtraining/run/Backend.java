package org.mixtraining.run;

import java.util.List;

/** A backend that computes the epochs of a run. */
public interface Backend extends AutoCloseable {

  EpochTrainer trainer();

  Evaluator evaluator();

  /** What a person should know of the run before it is computed here, a line each. */
  default List<String> notes() {
    return List.of();
  }

  @Override
  void close();
}
