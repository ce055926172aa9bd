package org.mixtraining.tracking;

import java.time.Instant;
import org.mixtraining.config.Pipeline;
import org.mixtraining.results.EpochRow;
import org.mixtraining.results.RunRow;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Phase;

/** Rows of a small run. */
final class Rows {
  static final Instant NOON = Instant.parse("2026-03-01T12:00:00.5Z");

  private Rows() {}

  static RunRow run(RunRow.Status status) {
    return run(
        status, "{\"mixtraining\":{\"run\":{\"seed\":7},\"data\":{\"tasks\":[],\"ssl\":\"\"}}}");
  }

  static RunRow run(RunRow.Status status, String config) {
    return new RunRow(
        "first",
        status,
        NOON,
        status == RunRow.Status.RUNNING ? null : NOON.plusSeconds(60),
        null,
        new RunRow.Setup(
            Pipeline.MIX, "vit-nano", 1000, 7, 2, 3, "data/drawn", "f00d", null, config),
        new RunRow.Versions("0.1.0", "3.5.9", "1.0.0-M2.1", "17", null),
        RunRow.Progress.NONE,
        null,
        null);
  }

  /** An SL epoch whose training accuracy is {@code epoch / 8}. */
  static EpochRow epoch(int epoch) {
    return new EpochRow(
        "first",
        epoch,
        Phase.SL,
        Objective.SL,
        null,
        0,
        null,
        0.001,
        0.0005,
        new EpochRow.Training(2.5, null, 2.5, epoch / 8.0),
        new EpochRow.Evaluation(Double.NaN, 0.25, 0.5, null, null, null),
        new EpochRow.Cost(1000, 16, 2e12, 4, 1, 0.5, 2, 8, 1, 5e11, 2.5),
        EpochRow.Batches.UNKNOWN,
        NOON.plusSeconds(epoch));
  }
}
