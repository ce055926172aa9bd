package org.mixtraining.run;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.vit.ViTGraph;
import org.mixtraining.vit.state.ModelState;
import org.mixtraining.vit.state.ModelState.Block;

/**
 * The average of the states that the workers of an epoch ended with. Each block is weighted by the
 * images that trained it: a head by the labelled images of its task, all else by all images. So a
 * worker without labels for a head has weight 0 in it, and a block that nobody trained is
 * unchanged.
 *
 * <p>Each value is summed in worker order in double precision, so the order in which results arrive
 * does not change a bit. The moments are averaged like the parameters; a block's step count is the
 * weighted mean of the workers', rounded, since workers with fewer images take fewer steps.
 */
public final class EpochAverage {

  private static final int SLICE = 1 << 16;

  private EpochAverage() {}

  /**
   * @param results of all workers, in worker order
   * @param before what they began with
   * @throws IllegalArgumentException if no worker saw an image
   */
  public static ModelState of(List<WorkerResult> results, ModelState before) {
    try (WorkerThreads threads = WorkerThreads.ofAllCores()) {
      return of(results, before, threads);
    }
  }

  /** The same by these threads, which change no bit of it. */
  static ModelState of(List<WorkerResult> results, ModelState before, WorkerThreads threads) {
    return of(results, before, (values, weights, length) -> mean(values, weights, length, threads));
  }

  /**
   * The average with zeros for the values of all blocks that were trained.
   *
   * @param reports of all workers, in worker order
   * @param before a state with arrays of the average's lengths
   * @throws IllegalArgumentException if no worker saw an image
   */
  public static ModelState blank(List<WorkerResult> reports, ModelState before) {
    return of(reports, before, (values, weights, length) -> new float[length]);
  }

  /** Makes one array out of the workers' and their weights. */
  private interface Values {
    float[] of(List<float[]> values, double[] weights, int length);
  }

  private static ModelState of(List<WorkerResult> results, ModelState before, Values values) {
    if (results.stream().allMatch(result -> result.metrics().images() == 0)) {
      throw new IllegalArgumentException("no worker has an image to train on");
    }
    Map<String, Block> blocks = new HashMap<>();
    before.blocks().forEach((name, block) -> blocks.put(name, block(results, name, block, values)));
    return new ModelState(blocks);
  }

  private static Block block(List<WorkerResult> results, String name, Block before, Values values) {
    List<WorkerResult> trained = results.stream().filter(r -> images(r, name) > 0).toList();
    if (trained.isEmpty()) {
      return before;
    }
    double[] weights = weights(trained, name);
    List<Block> own = trained.stream().map(result -> result.state().block(name)).toList();
    return new Block(
        values.of(
            own.stream().map(Block::parameters).toList(), weights, before.parameters().length),
        values.of(own.stream().map(Block::m).toList(), weights, before.m().length),
        values.of(own.stream().map(Block::v).toList(), weights, before.v().length),
        steps(own, weights));
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

  private static long steps(List<Block> blocks, double[] weights) {
    double steps = 0;
    for (int w = 0; w < weights.length; w++) {
      steps += weights[w] * blocks.get(w).steps();
    }
    return Math.round(steps);
  }

  /** Of a single worker, its own values, −0 too. */
  private static float[] mean(
      List<float[]> values, double[] weights, int length, WorkerThreads threads) {
    if (weights.length == 1) {
      return values.get(0);
    }
    float[] mean = new float[length];
    threads.run(
        (mean.length + SLICE - 1) / SLICE,
        (thread, slice) -> mean(values, weights, mean, slice * SLICE));
    return mean;
  }

  private static void mean(List<float[]> values, double[] weights, float[] mean, int from) {
    int to = Math.min(from + SLICE, mean.length);
    for (int i = from; i < to; i++) {
      double sum = 0;
      for (int w = 0; w < weights.length; w++) {
        sum += weights[w] * values.get(w)[i];
      }
      mean[i] = (float) sum;
    }
  }
}
