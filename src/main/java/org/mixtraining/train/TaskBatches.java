package org.mixtraining.train;

import java.util.function.Function;
import org.mixtraining.data.Minibatches;
import org.mixtraining.train.TrainingBatch.Position;

/** A worker's minibatches of one epoch on one task, made as they are asked for. */
public final class TaskBatches implements EpochIterator {

  private final Minibatches images;
  private final Function<Position, TrainingBatch> maker;
  private int step;

  /**
   * @param images the epoch's
   * @param from number of the first minibatch
   * @param maker of the next minibatch of them
   */
  TaskBatches(Minibatches images, int from, Function<Position, TrainingBatch> maker) {
    this.images = images;
    this.step = from;
    this.maker = maker;
  }

  /** Minibatches of the epoch. */
  public int steps() {
    return images.steps();
  }

  @Override
  public int step() {
    return step;
  }

  @Override
  public boolean hasNext() {
    return images.hasNext();
  }

  @Override
  public TrainingBatch next() {
    return maker.apply(new Position(step++, steps()));
  }
}
