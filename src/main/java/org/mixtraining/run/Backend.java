package org.mixtraining.run;

/** A backend that computes the epochs of a run. */
public interface Backend extends AutoCloseable {

  EpochTrainer trainer();

  Evaluator evaluator();

  @Override
  void close();
}
