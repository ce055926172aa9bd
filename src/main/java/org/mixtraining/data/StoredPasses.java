package org.mixtraining.data;

import java.util.function.Supplier;

/**
 * A dataset's images as they are stored, pass after pass without an end: what {@link
 * BlendedMinibatches} mixes into another's images, for who mixes them elsewhere.
 */
public final class StoredPasses {
  private final Supplier<Minibatches> passes;
  private Minibatches pass;

  /**
   * @param passes over the same images, at least one
   */
  public StoredPasses(Supplier<Minibatches> passes) {
    this.passes = passes;
    this.pass = passes.get();
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
      pass = passes.get();
    }
    return pass.nextStored(most);
  }
}
