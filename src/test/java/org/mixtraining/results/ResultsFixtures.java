package org.mixtraining.results;

import java.time.Instant;
import java.util.Locale;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.config.Pipeline;
import org.mixtraining.data.Split;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Phase;

/** Rows with made-up values, no two of them equal in one row. */
final class ResultsFixtures {
  static final Instant NOON = Instant.parse("2026-03-01T12:00:00.123456Z");

  private ResultsFixtures() {}

  static RunRow run(String id) {
    return new RunRow(
        id,
        RunRow.Status.RUNNING,
        NOON,
        null,
        null,
        setup(-42),
        new RunRow.Versions("0.1.0", "3.5.9", "1.0.0-M2.1", "17.0.15", null),
        RunRow.Progress.NONE,
        null,
        null);
  }

  static RunRow.Setup setup(long seed) {
    return new RunRow.Setup(
        Pipeline.SSL_SL,
        "vit-nano",
        101_000L,
        seed,
        2,
        4,
        "hdfs://name/shards",
        "f00d",
        "beef",
        String.format(Locale.ROOT, "{\"seed\":%d}", seed));
  }

  /** An SSL epoch: no head, so the nullable numbers are null. */
  static EpochRow ssl(String run, int epoch) {
    return new EpochRow(
        run,
        epoch,
        Phase.SSL,
        Objective.SSL,
        null,
        1,
        0.75,
        0.001,
        0.0005,
        new EpochRow.Training(0.75, 0.75, null, null),
        EpochRow.Evaluation.NONE,
        cost(epoch),
        new EpochRow.Batches(8, 125.0, 62.5, 2),
        NOON);
  }

  static EpochRow joint(String run, int epoch, double validationAccuracy) {
    return new EpochRow(
        run,
        epoch,
        Phase.MIX,
        Objective.JOINT,
        MixPass.TWO_PASS,
        0.25,
        0.625,
        0.0005,
        0.0001,
        new EpochRow.Training(1.5, 0.5, 2.5, 0.125),
        new EpochRow.Evaluation(
            2.25, validationAccuracy, 0.875, 2.125, validationAccuracy / 2, 0.8125),
        cost(epoch),
        new EpochRow.Batches(8, 125.0, 62.5, 2),
        NOON.plusSeconds(60));
  }

  static EpochRow.Cost cost(int epoch) {
    return new EpochRow.Cost(
        1000L * epoch,
        16L * epoch,
        1e15 * epoch,
        8,
        1,
        0.5,
        2,
        12.5 * epoch,
        45_000_000_000L,
        1e12 * epoch,
        3.5);
  }

  static ClassRow ofClass(
      String run, int epoch, Split split, int label, long images, double accuracy) {
    return new ClassRow(
        run, epoch, split, "main", label, "class " + label, images, accuracy, 0.9375, 1.75);
  }

  static PredictionRow prediction(String run, long id, int label, int predicted) {
    return new PredictionRow(
        run,
        Split.TEST,
        id,
        "main",
        label,
        "class " + label,
        predicted,
        "class " + predicted,
        0.625,
        "best",
        4);
  }

  static WorkerRow worker(String run, int epoch, int worker) {
    return new WorkerRow(
        run,
        epoch,
        worker,
        "node-" + worker,
        "7",
        "cpu",
        500,
        8,
        1.5,
        10 + worker,
        1,
        1L << 33,
        null,
        1,
        0.5,
        4);
  }
}
