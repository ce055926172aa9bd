package org.mixtraining.train;

import java.util.Iterator;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.vit.Batch;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.Replica.StepResult;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** A replica's way through its minibatches of one epoch. */
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
      Replica replica, EpochPlan plan, int worker, Iterator<MultiDataSet> minibatches) {
    return run(replica, plan, worker, minibatches, StepListener.NONE);
  }

  /** The same, telling of each step. */
  public static EpochMetrics run(
      Replica replica,
      EpochPlan plan,
      int worker,
      Iterator<MultiDataSet> minibatches,
      StepListener listener) {
    Sums sums = new Sums();
    long start = System.nanoTime();
    while (minibatches.hasNext()) {
      MultiDataSet batch = minibatches.next();
      long ready = System.nanoTime();
      Batch.Position position = Batch.Position.of(batch);
      if (position.step() == 0) {
        replica.plan(plan, position.steps());
      }
      StepResult step = replica.fit(batch);
      if (!Double.isFinite(step.loss())) {
        throw new NonFiniteLossException(plan.epoch(), worker, position.step(), step.loss());
      }
      long done = System.nanoTime();
      int images = (int) batch.getFeatures(0).size(0);
      sums.add(step, images, images * replica.trainingFlops(plan), ready - start, done - ready);
      listener.step(position.step() + 1, position.steps(), sums.metrics());
      start = done;
    }
    return sums.metrics();
  }

  private static final class Sums {
    private long images;
    private long labelled;
    private long correct;
    private long steps;
    private double loss;
    private double sslLoss;
    private double slLoss;
    private double flops;
    private long wait;
    private long compute;

    void add(StepResult step, int batchImages, double computedFlops, long waited, long computed) {
      images += batchImages;
      labelled += step.labelled();
      correct += step.correct();
      steps++;
      loss += step.loss() * batchImages;
      sslLoss += step.sslLoss() * batchImages;
      slLoss += step.slLoss() * step.labelled();
      flops += computedFlops;
      wait += waited;
      compute += computed;
    }

    EpochMetrics metrics() {
      return new EpochMetrics(
          images,
          labelled,
          correct,
          steps,
          loss,
          sslLoss,
          slLoss,
          flops,
          compute / 1e9,
          wait / 1e9);
    }
  }
}
