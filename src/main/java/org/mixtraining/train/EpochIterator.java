package org.mixtraining.train;

import java.util.Iterator;
import java.util.NoSuchElementException;

/** A worker's minibatches of one epoch, made as they are asked for. */
public interface EpochIterator extends Iterator<TrainingBatch> {

  /** The number in the epoch of the minibatch that is next, if there is one. */
  int step();

  /** Those before a step. */
  default Iterator<TrainingBatch> until(int end) {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return EpochIterator.this.hasNext() && step() < end;
      }

      @Override
      public TrainingBatch next() {
        if (!hasNext()) {
          throw new NoSuchElementException();
        }
        return EpochIterator.this.next();
      }
    };
  }
}
