package org.mixtraining.config;

import java.io.Serializable;
import java.time.Duration;
import org.mixtraining.config.hocon.Settings;

/**
 * The workers: replicas of the model.
 *
 * @param count how many
 * @param perExecutor how many an executor trains at a time
 * @param threadsPerWorker compute threads of each
 * @param precision of matrix products
 * @param balance whether shards are assigned by measured speed
 * @param patienceMinutes how long a run waits without anything to compute on
 * @param stallMinutes how long a worker may be without progress
 */
public record WorkersConfig(
    int count,
    int perExecutor,
    int threadsPerWorker,
    Device device,
    Precision precision,
    boolean balance,
    double patienceMinutes,
    double stallMinutes)
    implements Serializable {

  /** The kind of a worker's device. */
  public enum Device {
    AUTO,
    CPU,
    GPU
  }

  /** Input precision of matrix products; all accumulate in float32. */
  public enum Precision {
    /** bfloat16 on GPUs, and on a CPU that multiplies more quickly in it; else float32. */
    AUTO,
    /** bfloat16, of which every parameter has a copy; the parameters themselves are float32. */
    BF16,
    /** float32, of which the product reads 19 bits; on the CPU all of them. */
    TF32,
    /** float32. */
    FP32;

    /** The same on a GPU. */
    public Precision onGpu() {
      return this == AUTO ? BF16 : this;
    }
  }

  static WorkersConfig read(Settings settings) {
    return new WorkersConfig(
        settings.whole("workers.count", 1),
        settings.whole("workers.per-executor", 1),
        settings.whole("workers.threads-per-worker", 1),
        settings.choice("workers.device", Device.class),
        settings.choice("workers.precision", Precision.class),
        settings.flag("workers.balance"),
        settings.number("workers.patience-minutes", v -> v > 0, "above 0"),
        settings.number("workers.stall-minutes", v -> v > 0, "above 0"));
  }

  /** How long a run waits. */
  public Duration patience() {
    return minutes(patienceMinutes);
  }

  /** The longest time of a worker without progress. */
  public Duration stall() {
    return minutes(stallMinutes);
  }

  private static Duration minutes(double minutes) {
    return Duration.ofMillis(Math.round(minutes * 60_000));
  }
}
