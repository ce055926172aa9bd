package org.mixtraining.spark;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.vit.ModelState;
import org.mixtraining.vit.ModelState.Block;

/**
 * The average of the states that the workers of an epoch ended with, weighted by images seen.
 *
 * <p>Each value is summed in worker order in double precision, so the order in which results arrive
 * does not change a bit. The moments are averaged like the parameters; a block's step count is the
 * weighted mean of the workers', rounded, since workers with fewer images take fewer steps.
 */
final class EpochAverage {

  private static final int SLICE = 1 << 16;

  private EpochAverage() {}

  /**
   * @param results of all workers, in worker order
   * @throws IllegalArgumentException if no worker saw an image
   */
  static ModelState of(List<WorkerResult> results) {
    try (WorkerThreads threads = WorkerThreads.ofAllCores()) {
      return of(results, threads);
    }
  }

  /** The same by these threads, which change no bit of it. */
  static ModelState of(List<WorkerResult> results, WorkerThreads threads) {
    List<WorkerResult> seen = seen(results);
    if (seen.size() == 1) {
      return seen.get(0).state();
    }
    double[] weights = weights(seen);
    Map<String, Block> blocks = new HashMap<>();
    for (String name : seen.get(0).state().blocks().keySet()) {
      List<Block> own = seen.stream().map(r -> r.state().block(name)).toList();
      blocks.put(
          name,
          new Block(
              mean(own.stream().map(Block::parameters).toList(), weights, threads),
              mean(own.stream().map(Block::m).toList(), weights, threads),
              mean(own.stream().map(Block::v).toList(), weights, threads),
              steps(own, weights)));
    }
    return new ModelState(blocks);
  }

  /**
   * A state of zeros with the average's step counts.
   *
   * @param reports of all workers, in worker order
   * @param shape a state with arrays of the average's lengths
   * @throws IllegalArgumentException if no worker saw an image
   */
  static ModelState blank(List<WorkerResult> reports, ModelState shape) {
    List<WorkerResult> seen = seen(reports);
    double[] weights = weights(seen);
    Map<String, Block> blocks = new HashMap<>();
    shape
        .blocks()
        .forEach(
            (name, block) ->
                blocks.put(
                    name,
                    new Block(
                        new float[block.parameters().length],
                        new float[block.m().length],
                        new float[block.v().length],
                        steps(seen.stream().map(r -> r.state().block(name)).toList(), weights))));
    return new ModelState(blocks);
  }

  private static List<WorkerResult> seen(List<WorkerResult> results) {
    List<WorkerResult> seen =
        results.stream().filter(result -> result.metrics().images() > 0).toList();
    if (seen.isEmpty()) {
      throw new IllegalArgumentException("no worker has an image to train on");
    }
    return seen;
  }

  /** Each worker's share of the images; they sum to 1. */
  static double[] weights(List<WorkerResult> results) {
    double total = results.stream().mapToLong(r -> r.metrics().images()).sum();
    return results.stream().mapToDouble(r -> r.metrics().images() / total).toArray();
  }

  private static long steps(List<Block> blocks, double[] weights) {
    double steps = 0;
    for (int w = 0; w < weights.length; w++) {
      steps += weights[w] * blocks.get(w).steps();
    }
    return Math.round(steps);
  }

  private static float[] mean(List<float[]> values, double[] weights, WorkerThreads threads) {
    float[] mean = new float[values.get(0).length];
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
