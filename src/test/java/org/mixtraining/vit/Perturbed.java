package org.mixtraining.vit;

import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.mixtraining.vit.state.ModelState;

/** States whose parameters are at no special value. */
public final class Perturbed {

  private Perturbed() {}

  /** The state with its parameters off by up to so much, and its blocks so many steps old. */
  public static ModelState state(ModelState state, double most, long steps, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Map<String, ModelState.Block> blocks = new HashMap<>();
    state
        .blocks()
        .forEach(
            (name, block) -> {
              float[] values = block.parameters().clone();
              for (int i = 0; i < values.length; i++) {
                values[i] += (float) (2 * most * random.nextDouble() - most);
              }
              blocks.put(name, new ModelState.Block(values, block.m(), block.v(), steps));
            });
    return new ModelState(blocks);
  }
}
