package org.mixtraining.run;

import java.util.HashMap;
import java.util.Map;
import org.mixtraining.config.AveragingConfig;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.vit.state.ModelState;
import org.mixtraining.vit.state.ModelState.Block;

/**
 * The outer optimizer's step: it takes the way from the model before an epoch to the workers'
 * average for a gradient, and goes along it with a rate and Nesterov momentum of its own (DiLoCo,
 * arXiv 2311.08105; SlowMo, arXiv 1910.00643). With Δ = before − average:
 *
 * <pre>
 * velocity ← momentum · velocity + Δ
 * after    = before − rate · (Δ + momentum · velocity)
 * </pre>
 *
 * AdamW's moments and step counts stay those of the average. A block that an epoch does not train
 * keeps its velocity.
 *
 * @param model where the step ends, all blocks
 * @param velocity the velocities of the blocks trained so far, as blocks without moments; none
 *     without momentum
 */
public record OuterStep(ModelState model, ModelState velocity) {

  private static final int SLICE = 1 << 16;
  private static final float[] NONE = {};

  /**
   * The step after an epoch; rate 1 without momentum ends at the average itself.
   *
   * @param before all blocks before the epoch
   * @param average the trained blocks
   * @param velocity after the epoch before
   */
  public static OuterStep of(
      AveragingConfig averaging, ModelState before, ModelState average, ModelState velocity) {
    try (WorkerThreads threads = WorkerThreads.ofAllCores()) {
      return of(averaging, before, average, velocity, threads);
    }
  }

  /** The same by these threads, which change no bit of it. */
  static OuterStep of(
      AveragingConfig averaging,
      ModelState before,
      ModelState average,
      ModelState velocity,
      WorkerThreads threads) {
    if (averaging.outerLr() == 1 && averaging.outerMomentum() == 0) {
      return new OuterStep(before.with(average), velocity);
    }
    Map<String, Block> after = new HashMap<>();
    Map<String, Block> moved = new HashMap<>();
    average
        .blocks()
        .forEach(
            (name, mean) -> {
              float[] old = before.block(name).parameters();
              float[] v = copy(velocity.blocks().get(name), old.length);
              float[] parameters = move(averaging, old, mean.parameters(), v, threads);
              after.put(name, new Block(parameters, mean.m(), mean.v(), mean.steps()));
              moved.put(name, new Block(v, NONE, NONE, 0));
            });
    return new OuterStep(
        before.with(new ModelState(after)),
        averaging.outerMomentum() > 0 ? velocity.with(new ModelState(moved)) : velocity);
  }

  private static float[] copy(Block known, int size) {
    return known == null ? new float[size] : known.parameters().clone();
  }

  /** The parameters after the step; the velocity is replaced by the new one. */
  private static float[] move(
      AveragingConfig averaging,
      float[] before,
      float[] average,
      float[] velocity,
      WorkerThreads threads) {
    double rate = averaging.outerLr();
    double momentum = averaging.outerMomentum();
    float[] after = new float[before.length];
    threads.slices(
        after.length,
        SLICE,
        (from, to) -> {
          for (int i = from; i < to; i++) {
            double delta = (double) before[i] - average[i];
            double v = momentum * velocity[i] + delta;
            velocity[i] = (float) v;
            after[i] = (float) (before[i] - rate * (delta + momentum * v));
          }
        });
    return after;
  }
}
