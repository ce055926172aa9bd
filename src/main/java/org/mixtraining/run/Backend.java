package org.mixtraining.run;

/** Where the epochs of a run are computed. */
public interface Backend extends AutoCloseable {

  EpochTrainer trainer();

  Evaluator evaluator();

  @Override
  void close();
}
