package org.mixtraining.train;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.StepResult;

/** One round of a replica, or a whole epoch: the training steps on its minibatches. */
public final class WorkerEpoch {

  private WorkerEpoch() {}

  /**
   * Trains on all of the minibatches; the replica holds the state to begin with and, after it, the
   * state reached.
   *
   * @param worker whose minibatches they are
   * @throws NonFiniteLossException if a step's loss is NaN or infinite
   */
  public static EpochMetrics run(
      Replica replica, EpochPlan plan, int worker, Iterator<TrainingBatch> minibatches) {
    return run(replica, new GraphSteps(replica), plan, worker, minibatches, StepListener.NONE);
  }

  /**
   * The same, by an executor of the replica's steps, telling of them as their results are known.
   */
  public static EpochMetrics run(
      Replica replica,
      StepExecutor executor,
      EpochPlan plan,
      int worker,
      Iterator<TrainingBatch> minibatches,
      StepListener listener) {
    Sums sums = new Sums(plan, worker);
    boolean begun = false;
    long start = System.nanoTime();
    while (minibatches.hasNext()) {
      TrainingBatch batch = minibatches.next();
      long ready = System.nanoTime();
      TrainingBatch.Position position = batch.position();
      if (!begun) {
        executor.begin(plan, position.steps());
        begun = true;
      }
      double flops =
          replica.trainingFlops(plan, batch.head(), batch.imageSize(), batch.maskRatio());
      sums.taken(new Taken(position.step(), batch.images(), batch.head(), batch.images() * flops));
      List<StepResult> results = executor.take(batch);
      sums.add(results);
      long done = System.nanoTime();
      sums.took(ready - start, done - ready);
      if (!results.isEmpty()) {
        listener.step(position.step() + 1, position.steps(), sums.metrics());
      }
      start = done;
    }
    if (begun) {
      sums.add(executor.end());
      sums.took(0, System.nanoTime() - start);
    }
    return sums.metrics();
  }

  /** A step without a result yet. */
  private record Taken(int step, int images, String head, double flops) {}

  private static final class Sums {
    private final EpochPlan plan;
    private final int worker;
    private final Deque<Taken> underWay = new ArrayDeque<>();
    private EpochMetrics metrics = EpochMetrics.NONE;
    private long wait;
    private long compute;

    Sums(EpochPlan plan, int worker) {
      this.plan = plan;
      this.worker = worker;
    }

    void taken(Taken step) {
      underWay.add(step);
    }

    void took(long waited, long computed) {
      wait += waited;
      compute += computed;
    }

    void add(List<StepResult> results) {
      for (StepResult result : results) {
        Taken taken = underWay.remove();
        if (!Double.isFinite(result.loss())) {
          throw new NonFiniteLossException(plan.epoch(), worker, taken.step, result.loss());
        }
        metrics = metrics.then(metrics(result, taken));
      }
    }

    private static EpochMetrics metrics(StepResult step, Taken taken) {
      Map<String, Long> labels =
          step.labelled() > 0 ? Map.of(taken.head, (long) step.labelled()) : Map.of();
      return new EpochMetrics(
          taken.images,
          new TreeMap<>(labels),
          step.correct(),
          1,
          step.loss() * taken.images,
          step.sslLoss() * taken.images,
          step.slLoss() * step.labelled(),
          taken.flops,
          0,
          0);
    }

    EpochMetrics metrics() {
      return metrics.in(compute / 1e9, wait / 1e9);
    }
  }
}
