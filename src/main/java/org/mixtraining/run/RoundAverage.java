package org.mixtraining.run;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.mixtraining.config.OptimizerConfig.Betas;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.vit.ViTGraph;
import org.mixtraining.vit.state.ModelState;
import org.mixtraining.vit.state.ModelState.Block;

/**
 * The average of the states that the workers of a round ended with. Each block is weighted by the
 * images that trained it: a head by the labelled images of its task, all else by all images. So a
 * worker without labels for a head has weight 0 in it, and a block that nobody trained is
 * unchanged.
 *
 * <p>{@link RangeAverage} averages the values, in worker order, so that the order in which results
 * arrive does not change a bit. A block's step count is the weighted mean of the workers', rounded,
 * since workers with fewer images take fewer steps.
 */
public final class RoundAverage {

  private static final int SLICE = 1 << 16;

  private RoundAverage() {}

  /**
   * @param results of all workers, in worker order
   * @param before what they began with
   * @param betas of the round's objective
   * @throws IllegalArgumentException if no worker saw an image
   */
  public static ModelState of(List<WorkerResult> results, ModelState before, Betas betas) {
    try (WorkerThreads threads = WorkerThreads.ofAllCores()) {
      return of(results, before, betas, threads);
    }
  }

  /** The same by these threads, which change no bit of it. */
  static ModelState of(
      List<WorkerResult> results, ModelState before, Betas betas, WorkerThreads threads) {
    Map<String, Block> blocks = new HashMap<>();
    blank(results, before)
        .blocks()
        .forEach(
            (name, blank) -> {
              List<WorkerResult> trained = trained(results, name);
              switch (trained.size()) {
                case 0 -> blocks.put(name, blank);
                case 1 -> blocks.put(name, trained.get(0).state().block(name)); // −0 too
                default -> {
                  double noise = noise(results, before, name, betas);
                  threads.slices(
                      blank.parameters().length,
                      SLICE,
                      (from, to) -> fill(blank, trained, name, noise, from, to));
                  blocks.put(name, blank);
                }
              }
            });
    return new ModelState(blocks);
  }

  private static void fill(
      Block average, List<WorkerResult> trained, String name, double noise, int from, int to) {
    RangeAverage range = new RangeAverage(to - from, trained.size(), noise);
    double[] weights = weights(trained, name);
    for (int w = 0; w < weights.length; w++) {
      Block own = trained.get(w).state().block(name);
      range.add(weights[w], own.parameters(), own.m(), own.v(), from);
    }
    range.write(average.parameters(), average.m(), average.v(), from);
  }

  /**
   * The average with zeros for the values of all blocks that were trained.
   *
   * @param reports of all workers, in worker order
   * @param before a state with arrays of the average's lengths
   * @throws IllegalArgumentException if no worker saw an image
   */
  public static ModelState blank(List<WorkerResult> reports, ModelState before) {
    if (reports.stream().allMatch(report -> report.metrics().images() == 0)) {
      throw new IllegalArgumentException("no worker has an image to train on");
    }
    Map<String, Block> blocks = new HashMap<>();
    before
        .blocks()
        .forEach(
            (name, block) -> {
              List<WorkerResult> trained = trained(reports, name);
              blocks.put(
                  name,
                  trained.isEmpty()
                      ? block
                      : new Block(
                          new float[block.parameters().length],
                          new float[block.m().length],
                          new float[block.v().length],
                          Math.round(steps(trained, name))));
            });
    return new ModelState(blocks);
  }

  /** {@link RangeAverage#noise} of a block in the round that the workers report. */
  public static double noise(
      List<WorkerResult> reports, ModelState before, String block, Betas betas) {
    double taken = steps(trained(reports, block), block) - before.block(block).steps();
    return RangeAverage.noise(betas, taken);
  }

  /** Images that trained a block. */
  public static long images(WorkerResult result, String block) {
    return ViTGraph.isHead(block)
        ? result.metrics().labels().getOrDefault(block, 0L)
        : result.metrics().images();
  }

  /**
   * Each worker's share of the images that trained a block, of which there is one; they sum to 1.
   */
  public static double[] weights(List<WorkerResult> results, String block) {
    double total = results.stream().mapToLong(result -> images(result, block)).sum();
    return results.stream().mapToDouble(result -> images(result, block) / total).toArray();
  }

  private static List<WorkerResult> trained(List<WorkerResult> results, String block) {
    return results.stream().filter(result -> images(result, block) > 0).toList();
  }

  private static double steps(List<WorkerResult> trained, String block) {
    double[] weights = weights(trained, block);
    double steps = 0;
    for (int w = 0; w < weights.length; w++) {
      steps += weights[w] * trained.get(w).state().block(block).steps();
    }
    return steps;
  }
}
