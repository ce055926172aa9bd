package org.mixtraining.results;

import java.time.Instant;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Phase;

/** A finished epoch: its objective, losses, accuracies and costs. */
@TableRow(table = "epochs", oneRowPer = "finished epoch of a run")
public record EpochRow(
    @Column("the run; partition of the table") String runId,
    @Column("position in the run, from 1") int epoch,
    @Column("part of the run it belongs to") Phase phase,
    @Column("objective that its steps minimised") Objective objective,
    @Column(value = "input of the encoder in a joint step; null for ssl and sl", nullable = true)
        MixPass pass,
    @Column("weight of the SSL loss, 1 for ssl and 0 for sl") double alpha,
    @Column(
            "share of the patches masked, of labelled images if others are apart, 0 to 1; null where none is")
        Double maskRatio,
    @Column("learning rate of the first step") double learningRateStart,
    @Column("learning rate of the last step") double learningRateEnd,
    Training training,
    Evaluation evaluation,
    Cost cost,
    Batches batches,
    @Column("when it was finished") Instant finishedAt)
    implements ResultRow, EpochScoped {

  /** Means over the training images, taken while the parameters changed. */
  public record Training(
      @Column("the loss minimised, mean over images") double trainLoss,
      @Column("masked reconstruction error, mean over images; null for sl") Double sslLoss,
      @Column("cross-entropy in nats, mean over images; null for ssl") Double slLoss,
      @Column("accuracy on the training images, 0 to 1; null for ssl") Double trainAccuracy) {}

  /** Means over held-out images with the parameters after the epoch; of tasks, their mean. */
  public record Evaluation(
      @Column("validation cross-entropy in nats; null if not evaluated") Double validationLoss,
      @Column("validation accuracy, 0 to 1; null if not evaluated") Double validationAccuracy,
      @Column(
              "share of validation images whose label is among the five most probable, 0 to 1;"
                  + " null if not evaluated")
          Double validationTop5Accuracy,
      @Column("test cross-entropy in nats; null if not evaluated") Double testLoss,
      @Column("test accuracy, 0 to 1; null if not evaluated") Double testAccuracy,
      @Column(
              "share of test images whose label is among the five most probable, 0 to 1; null if"
                  + " not evaluated")
          Double testTop5Accuracy) {

    /** The values of an epoch that is not evaluated. */
    public static final Evaluation NONE = new Evaluation(null, null, null, null, null, null);
  }

  /** Work done and time spent. */
  public record Cost(
      @Column("images trained on, count over all workers") long images,
      @Column("optimizer steps, count over all workers") long steps,
      @Column("floating-point operations of training by formula, count; evaluation is apart")
          double flops,
      @Column("training steps, seconds of the slowest worker") double computeSeconds,
      @Column("waiting for data, seconds of the slowest worker") double waitSeconds,
      @Column("broadcasting, collecting and averaging the state, seconds") double syncSeconds,
      @Column("validation and test, seconds") double evaluationSeconds,
      @Column("wall time of the epoch with all of these, seconds") double seconds,
      @Column("state sent to and from the workers, bytes") long syncBytes,
      @Column(
              "floating-point operations of validation and test by formula, count; 0 if not"
                  + " evaluated, null in older rows")
          Double evaluationFlops,
      @Column("validation and test, seconds times devices, summed over tasks; null in older rows")
          Double evaluationDeviceSeconds) {}

  /** How its images were shared between the workers. */
  public record Batches(
      @Column("optimizer steps of each worker, as long as it has images; null in older rows")
          Integer stepsPerWorker,
      @Column("images of a step over all workers, mean; null in older rows") Double batchSize,
      @Column("images of a worker's step, mean; null in older rows") Double workerBatchSize,
      @Column("averages of the workers, count; null in older rows") Integer averages) {

    /** Of rows that an older version wrote. */
    public static final Batches UNKNOWN = new Batches(null, null, null, null);
  }

  @Override
  public String part() {
    return EpochScoped.part("epochs", epoch);
  }
}
