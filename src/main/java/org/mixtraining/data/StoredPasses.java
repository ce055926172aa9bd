package org.mixtraining.data;

import java.util.function.IntFunction;

/**
 * Endless passes over a dataset's stored images: the counterpart of {@link BlendedMinibatches} for
 * devices, which blend the images themselves.
 */
public final class StoredPasses {
  private final IntFunction<Minibatches> passes;
  private int number;
  private Minibatches pass;

  /**
   * @param passes by their numbers, from 0, over the same images, at least one
   */
  public StoredPasses(IntFunction<Minibatches> passes) {
    this.passes = passes;
    this.pass = passes.apply(0);
  }

  /** The next {@code images} images. */
  public StoredMinibatch next(int images) {
    StoredMinibatch batch = some(images);
    while (batch.size() < images) {
      batch = batch.and(some(images - batch.size()));
    }
    return batch;
  }

  private StoredMinibatch some(int most) {
    if (!pass.hasNext()) {
      pass = passes.apply(++number);
    }
    return pass.nextStored(most);
  }
}
