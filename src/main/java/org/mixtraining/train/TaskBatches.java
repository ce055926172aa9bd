package org.mixtraining.train;

import java.util.Iterator;
import java.util.function.Function;
import org.mixtraining.data.Minibatches;
import org.mixtraining.train.TrainingBatch.Position;

/** A worker's minibatches of one epoch on one task, made as they are asked for. */
public final class TaskBatches implements Iterator<TrainingBatch> {

  private final Minibatches images;
  private final Function<Position, TrainingBatch> maker;
  private int step;

  /**
   * @param images the epoch's
   * @param maker of the next minibatch of them
   */
  TaskBatches(Minibatches images, Function<Position, TrainingBatch> maker) {
    this.images = images;
    this.maker = maker;
  }

  /** Minibatches of the epoch. */
  public int steps() {
    return images.steps();
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
