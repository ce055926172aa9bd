package org.mixtraining.train;

import java.io.Serializable;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Sums over the images of an epoch, taken while the parameters moved. Divide by {@link #images}, or
 * by {@link #labelled} for what only labelled images have.
 *
 * @param images images trained on
 * @param labels images with a label by the head that learned from them; none in SSL epochs
 * @param correct labelled images whose most probable class was their label's
 * @param steps optimizer steps
 * @param loss sum of the minimised loss
 * @param sslLoss sum of the reconstruction error; NaN in SL epochs
 * @param slLoss sum of the cross-entropy over labelled images; NaN in SSL epochs
 * @param flops floating-point operations by formula
 * @param computeSeconds time in steps
 * @param waitSeconds time waiting for minibatches
 */
public record EpochMetrics(
    long images,
    SortedMap<String, Long> labels,
    long correct,
    long steps,
    double loss,
    double sslLoss,
    double slLoss,
    double flops,
    double computeSeconds,
    double waitSeconds)
    implements Serializable {

  /** Of no image at all. */
  public static final EpochMetrics NONE =
      new EpochMetrics(0, new TreeMap<>(), 0, 0, 0, 0, 0, 0, 0, 0);

  /** Images with a label. */
  public long labelled() {
    return labels.values().stream().mapToLong(count -> count).sum();
  }

  /** The sums of both, with the times of this worker's next round. */
  public EpochMetrics then(EpochMetrics next) {
    return plus(next, computeSeconds + next.computeSeconds, waitSeconds + next.waitSeconds);
  }

  /** The sums of both; of the times, which pass side by side, the greater. */
  public EpochMetrics plus(EpochMetrics other) {
    return plus(
        other,
        Math.max(computeSeconds, other.computeSeconds),
        Math.max(waitSeconds, other.waitSeconds));
  }

  /** The same sums with these times. */
  EpochMetrics in(double compute, double wait) {
    return plus(NONE, compute, wait);
  }

  private EpochMetrics plus(EpochMetrics other, double compute, double wait) {
    SortedMap<String, Long> both = new TreeMap<>(labels);
    other.labels.forEach((head, count) -> both.merge(head, count, Long::sum));
    return new EpochMetrics(
        images + other.images,
        both,
        correct + other.correct,
        steps + other.steps,
        loss + other.loss,
        sslLoss + other.sslLoss,
        slLoss + other.slLoss,
        flops + other.flops,
        compute,
        wait);
  }
}
