package org.mixtraining.run;

/** Takes the finished epochs of a run, in order. */
@FunctionalInterface
public interface EpochSink {

  void write(EpochOutcome outcome);

  /** Gives each epoch to this sink, then to another. */
  default EpochSink and(EpochSink next) {
    return epoch -> {
      write(epoch);
      next.write(epoch);
    };
  }
}
