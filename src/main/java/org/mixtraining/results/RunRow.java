package org.mixtraining.results;

import java.time.Instant;
import java.util.List;
import org.mixtraining.config.Pipeline;

/**
 * A run: its configuration, software, results and costs. Written when the run starts, after each
 * epoch, and when it ends.
 */
@TableRow(table = "runs", oneRowPer = "run")
public record RunRow(
    @Column("the run; partition of the table") String runId,
    @Column("status of the run") Status status,
    @Column("when the run started") Instant started,
    @Column(value = "when the run ended; null while it is running", nullable = true) Instant ended,
    @Column(value = "why the run failed; null if it did not", nullable = true) String error,
    Setup setup,
    Versions versions,
    Progress progress,
    @Column(
            value = "SHA-256 of the final parameters, hexadecimal; null until finished",
            nullable = true)
        String stateSha256,
    @Column("whether early stopping ended it before its last planned epoch; null until finished")
        Boolean stoppedEarly)
    implements ResultRow {

  /** Status of a run. An interrupted run can be resumed. */
  public enum Status {
    RUNNING,
    FINISHED,
    FAILED,
    INTERRUPTED
  }

  /** The configuration. */
  public record Setup(
      @Column("order of the objectives") Pipeline pipeline,
      @Column("model preset") String model,
      @Column("parameters of the model, decoder and heads included, count") long parameters,
      @Column("seed of the run") long seed,
      @Column("logical workers, count") int workers,
      @Column("epochs the run consists of, count") int epochsPlanned,
      @Column("directory of the image shards; of several tasks, all of them") String datasetPath,
      @Column("fingerprint of the dataset's content; of several, all of them")
          String datasetFingerprint,
      @Column(
              value =
                  "fingerprint of mixtraining.data.ssl; null if the SSL objective sees the dataset itself",
              nullable = true)
          String sslFingerprint,
      @Column("the whole configuration, canonical JSON") String config) {}

  /** The software that trained it. */
  public record Versions(
      @Column("version of this job") String jobVersion,
      @Column("version of Spark") String sparkVersion,
      @Column("version of DL4J") String dl4jVersion,
      @Column("version of Java") String javaVersion,
      @Column(value = "git revision of this job; null where unknown", nullable = true)
          String gitRevision) {}

  /** Results and costs so far. */
  public record Progress(
      @Column("epochs finished, count") int epochsDone,
      @Column("highest validation accuracy of any epoch, 0 to 1") Double bestValidationAccuracy,
      @Column("last epoch that reached it, from 1") Integer bestEpoch,
      @Column("test accuracy after that epoch, 0 to 1") Double testAccuracyAtBest,
      @Column("test accuracy after the last finished epoch, 0 to 1") Double finalTestAccuracy,
      @Column("images trained on, count over all epochs") long images,
      @Column("floating-point operations of training by formula, count; evaluation is apart")
          double flops,
      @Column("wall time of the finished epochs, seconds") double seconds,
      @Column(
              "time that workers held devices to train, a core or a GPU each: seconds times devices,"
                  + " summed over workers")
          double deviceSeconds,
      @Column(
              "devices that a worker held, count; null in rows of older versions, whose"
                  + " device_seconds count a worker as one whatever its threads")
          Integer devices,
      @Column("validation and test after epochs, seconds of wall time; null in older rows")
          Double evaluationSeconds,
      @Column(
              "floating-point operations of validation and test after epochs by formula, count;"
                  + " null in older rows")
          Double evaluationFlops,
      @Column(
              "validation and test after epochs, seconds times devices, summed over tasks; null in"
                  + " older rows")
          Double evaluationDeviceSeconds) {

    /** The progress before the first epoch. */
    public static final Progress NONE =
        new Progress(0, null, null, null, null, 0, 0, 0, 0, null, 0.0, 0.0, 0.0);

    /** With the next finished epoch and the workers in it. */
    public Progress plus(EpochRow epoch, List<WorkerRow> workers) {
      EpochRow.Evaluation scores = epoch.evaluation();
      boolean best = isBest(scores.validationAccuracy());
      // A run that an older version began has not counted them.
      int held =
          workers.stream().mapToInt(WorkerRow::held).max().orElse(devices == null ? 1 : devices);
      return new Progress(
          epochsDone + 1,
          best ? scores.validationAccuracy() : bestValidationAccuracy,
          best ? Integer.valueOf(epoch.epoch()) : bestEpoch,
          best ? scores.testAccuracy() : testAccuracyAtBest,
          scores.testAccuracy(),
          images + epoch.cost().images(),
          flops + epoch.cost().flops(),
          seconds + epoch.cost().seconds(),
          deviceSeconds * (devices == null ? held : 1)
              + workers.stream().mapToDouble(WorkerRow::deviceSeconds).sum(),
          held,
          sum(evaluationSeconds, epoch.cost().evaluationSeconds()),
          sum(evaluationFlops, epoch.cost().evaluationFlops()),
          sum(evaluationDeviceSeconds, epoch.cost().evaluationDeviceSeconds()));
    }

    /** The sum is unknown (null) if any term is. */
    private static Double sum(Double before, Double epoch) {
      return before == null || epoch == null ? null : Double.valueOf(before + epoch);
    }

    /** Of equal validation accuracies the later one counts, which has trained longer. */
    private boolean isBest(Double accuracy) {
      return accuracy != null
          && !accuracy.isNaN()
          && (bestValidationAccuracy == null || accuracy >= bestValidationAccuracy);
    }
  }

  @Override
  public String part() {
    return "run";
  }
}
