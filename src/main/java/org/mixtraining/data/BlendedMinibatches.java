package org.mixtraining.data;

import java.util.Iterator;
import java.util.function.IntFunction;

/**
 * Minibatches whose images are blended with those of another dataset: λ·x + (1 − λ)·other, one
 * after another; a dataset that is too short begins again. Ids and labels stay those of x.
 */
public final class BlendedMinibatches implements Iterator<Minibatch> {
  private final Iterator<Minibatch> images;
  private final IntFunction<? extends Iterator<Minibatch>> passes;
  private final float lambda;
  private int number;
  private Iterator<Minibatch> pass;
  private Minibatch others;
  private int next;

  /**
   * @param passes passes over the other dataset by their numbers, from 0, none of them empty, with
   *     images of the same shape
   * @param lambda share of x, in [0, 1]
   */
  public BlendedMinibatches(
      Iterator<Minibatch> images,
      IntFunction<? extends Iterator<Minibatch>> passes,
      double lambda) {
    this.images = images;
    this.passes = passes;
    this.lambda = (float) lambda;
    this.pass = passes.apply(0);
  }

  @Override
  public boolean hasNext() {
    return images.hasNext();
  }

  @Override
  public Minibatch next() {
    Minibatch batch = images.next();
    float[] pixels = batch.pixels();
    int size = pixels.length / batch.size();
    for (int n = 0; n < batch.size(); n++) {
      turn();
      for (int i = 0; i < size; i++) {
        float other = others.pixels()[next * size + i];
        pixels[n * size + i] = lambda * pixels[n * size + i] + (1 - lambda) * other;
      }
      next++;
    }
    return batch;
  }

  /** Advances to the next image of the other dataset. */
  private void turn() {
    if (others != null && next < others.size()) {
      return;
    }
    if (!pass.hasNext()) {
      pass = passes.apply(++number);
    }
    others = pass.next();
    next = 0;
  }
}
