package org.mixtraining.data;

import java.util.function.IntFunction;

/**
 * A dataset's images as they are stored, pass after pass without an end: what {@link
 * BlendedMinibatches} mixes into another's images, for who mixes them elsewhere.
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

  /** The next so many images. */
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
