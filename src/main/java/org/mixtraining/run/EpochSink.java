package org.mixtraining.run;

/** Takes the finished epochs of a run, in order. */
@FunctionalInterface
public interface EpochSink {

  void write(EpochOutcome outcome);

  /** Gives each epoch to this sink, then to another: what that writes may rely on this one. */
  default EpochSink and(EpochSink next) {
    return epoch -> {
      write(epoch);
      next.write(epoch);
    };
  }
}
