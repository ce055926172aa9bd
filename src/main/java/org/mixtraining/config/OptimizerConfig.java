package org.mixtraining.config;

import java.io.Serializable;
import java.util.List;
import java.util.Optional;
import org.mixtraining.config.hocon.Canonical;
import org.mixtraining.config.hocon.Settings;
import org.mixtraining.config.hocon.Sources;

/**
 * AdamW and its learning-rate schedule. The peak rate is {@code base-lr · batch-size / 256}.
 *
 * @param layerDecay factor between the learning rates of neighbouring layers in SL epochs
 * @param accumulate parts in which a worker takes each of its minibatches, their gradients summed
 * @param clip greatest global norm of a step's gradient; 0 is no limit
 */
public record OptimizerConfig(
    @Canonical.Inline Rates rates,
    double weightDecay,
    double layerDecay,
    Betas sslBetas,
    Betas slBetas,
    int batchSize,
    int accumulate,
    double clip,
    double labelSmoothing)
    implements Serializable {

  /**
   * The learning rate over a run.
   *
   * @param baseLr at batch size 256, after the warm-up
   * @param minLr at the end
   * @param warmup length of the linear warm-up in epochs
   * @param schedule span of warm-up and cosine
   */
  public record Rates(double baseLr, double minLr, double warmup, Span schedule)
      implements Serializable {

    private static Rates read(Settings settings) {
      return new Rates(
          settings.number("optimizer.base-lr", v -> v > 0, "above 0"),
          settings.number("optimizer.min-lr", v -> v >= 0, "at least 0"),
          settings.number("optimizer.warmup", v -> v >= 0, "at least 0 epochs"),
          settings.choice("optimizer.schedule", Span.class));
    }
  }

  /** Span of a learning-rate schedule: the whole run, or each phase. */
  public enum Span {
    RUN,
    PHASE
  }

  /** AdamW's decay rates of the first and the second moment. */
  public record Betas(double first, double second) implements Serializable {

    private static Betas read(Settings settings, String key) {
      return settings.pair(
          key,
          Betas::new,
          betas -> isRate(betas.first) && isRate(betas.second),
          "two numbers in [0, 1), as [0.9, 0.999]");
    }

    private static boolean isRate(double value) {
      return 0 <= value && value < 1;
    }
  }

  static OptimizerConfig read(Settings settings) {
    OptimizerConfig optimizer =
        new OptimizerConfig(
            Rates.read(settings),
            settings.number("optimizer.weight-decay", v -> v >= 0, "at least 0"),
            settings.number("optimizer.layer-decay", v -> 0 < v && v <= 1, "in (0, 1]"),
            Betas.read(settings, "optimizer.ssl-betas"),
            Betas.read(settings, "optimizer.sl-betas"),
            settings.whole("optimizer.batch-size", 1),
            settings.whole("optimizer.accumulate", 1),
            settings.number("optimizer.clip", v -> v >= 0, "at least 0"),
            settings.number("optimizer.label-smoothing", v -> 0 <= v && v < 1, "in [0, 1)"));
    if (optimizer.rates.minLr > optimizer.peak()) {
      settings.refuse(
          "optimizer.min-lr",
          "must be at most the peak learning rate, mixtraining.optimizer.base-lr * mixtraining.optimizer.batch-size / 256 = "
              + optimizer.peak());
    }
    return optimizer;
  }

  /** What a graph is made with that is never trained: it names an optimizer all the same. */
  public static OptimizerConfig defaults() {
    return read(Sources.merge("", Optional.empty(), List.of()));
  }

  /** The learning rate at the end of the warm-up. */
  public double peak() {
    return rates.baseLr * batchSize / 256;
  }
}
