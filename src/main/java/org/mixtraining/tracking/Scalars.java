package org.mixtraining.tracking;

import java.util.LinkedHashMap;
import java.util.Map;
import org.mixtraining.results.EpochRow;

/** The scalars of an epoch by name, in the groups in which they are displayed. */
final class Scalars {
  private Scalars() {}

  /** The scalars that are present and not NaN. */
  static Map<String, Double> of(EpochRow row) {
    Map<String, Double> scalars = new LinkedHashMap<>();
    scalars.put("train/loss", row.training().trainLoss());
    scalars.put("train/ssl_loss", row.training().sslLoss());
    scalars.put("train/sl_loss", row.training().slLoss());
    scalars.put("train/accuracy", row.training().trainAccuracy());
    scalars.put("validation/loss", row.evaluation().validationLoss());
    scalars.put("validation/accuracy", row.evaluation().validationAccuracy());
    scalars.put("test/loss", row.evaluation().testLoss());
    scalars.put("test/accuracy", row.evaluation().testAccuracy());
    scalars.put("schedule/learning_rate", row.learningRateEnd());
    scalars.put("schedule/alpha", row.alpha());
    scalars.put("schedule/mask_ratio", row.maskRatio());
    EpochRow.Cost cost = row.cost();
    scalars.put("cost/seconds", cost.seconds());
    scalars.put("cost/sync_seconds", cost.syncSeconds());
    scalars.put("cost/evaluation_seconds", cost.evaluationSeconds());
    scalars.put("cost/tflop", cost.flops() / 1e12);
    scalars.put(
        "cost/images_per_second", cost.images() / (cost.computeSeconds() + cost.waitSeconds()));
    scalars.values().removeIf(value -> value == null || !Double.isFinite(value));
    return scalars;
  }
}
