package org.mixtraining.run;

/** Takes the finished epochs of a run, in order. */
@FunctionalInterface
public interface EpochSink {

  void write(EpochOutcome outcome);
}
