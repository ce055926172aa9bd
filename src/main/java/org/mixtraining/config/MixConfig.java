package org.mixtraining.config;

import java.io.Serializable;
import java.math.BigDecimal;
import java.math.RoundingMode;
import org.mixtraining.config.hocon.Settings;

/**
 * The MIX phase: how much of it ({@code ratio} in [0, 1]), and how the objectives are mixed.
 *
 * @param alpha weight of the SSL loss
 * @param maskRatio share of the patches masked in JOINT epochs, in [0, 1)
 * @param labelPasses passes of a merged epoch over the labelled images
 * @param lambda share of the labelled image where it is mixed with one of {@code data.ssl}
 */
public record MixConfig(
    double ratio,
    MixMode mode,
    MixPass pass,
    Curve alpha,
    Curve maskRatio,
    int labelPasses,
    double lambda)
    implements Serializable {

  /**
   * How often a run shows an image that has a label where others have none, if {@link #MOST_PASSES}
   * a merged epoch allow it: chosen on validation images.
   */
  private static final int VIEWS = 54;

  /** With more, of 64 patches, a merged epoch would cost more than the two that it replaces. */
  private static final int MOST_PASSES = 8;

  /** Both losses in one step, or SSL and SL epochs in turn. */
  public enum MixMode {
    JOINT,
    ALTERNATE
  }

  /** Encoder input of a JOINT step. */
  public enum MixPass {
    /** The visible tokens, in one pass (as in SupMAE, arXiv 2205.14540). */
    VISIBLE,
    /**
     * All positions, with mask tokens at the masked ones, in one pass (as in SimMIM, 2111.09886).
     */
    CORRUPTED,
    /** The visible tokens, and then every token (as in SSAT, arXiv 2310.20704). */
    TWO_PASS
  }

  /**
   * Where one pass sees the visible patches, they grow from those of SSL epochs to all of them; or,
   * if only some images have labels, these are shown more often.
   *
   * @param epochs of each objective
   * @param modelMaskRatio share of the patches masked in SSL epochs
   * @param allLabelled whether no image is without a label that is used
   */
  static MixConfig read(
      Settings settings,
      Pipeline pipeline,
      EpochsConfig epochs,
      double modelMaskRatio,
      boolean allLabelled) {
    boolean ssat = pipeline == Pipeline.SSAT;
    MixPass pass = settings.choice("mix.pass", MixPass.class);
    Curve mask =
        !ssat && pass == MixPass.VISIBLE && allLabelled
            ? new Curve(Curve.Shape.LINEAR, modelMaskRatio, 0)
            : Curve.constant(modelMaskRatio);
    settings.byDefault("mix.mask-ratio", mask.toString());
    double ratio = settings.number("mix.ratio", v -> 0 <= v && v <= 1, "in [0, 1]");
    boolean few = pass == MixPass.VISIBLE && !allLabelled;
    settings.byDefault("mix.label-passes", few ? labelPasses(epochs, merged(ratio, epochs)) : 1);
    settings.byDefault("mix.alpha", ssat ? "constant(0.9)" : "linear(1->0)");
    return new MixConfig(
        ratio,
        settings.choice("mix.mode", MixMode.class),
        pass,
        settings.curve("mix.alpha", v -> 0 <= v && v <= 1, "in [0, 1]"),
        settings.curve("mix.mask-ratio", v -> 0 <= v && v < 1, "in [0, 1)"),
        settings.whole("mix.label-passes", 1),
        settings.number("mix.lambda", v -> 0 <= v && v <= 1, "in [0, 1]"));
  }

  private static int labelPasses(EpochsConfig epochs, int merged) {
    int missing = VIEWS - (epochs.sl() - merged);
    return merged == 0
        ? 1
        : Math.max(1, Math.min(MOST_PASSES, Math.round((float) missing / merged)));
  }

  /** Epochs of each objective that are merged. */
  public int merged(EpochsConfig epochs) {
    return merged(ratio, epochs);
  }

  /** In decimal, where 0.29 of 50 is the half it looks like and not 14.499999999999998. */
  private static int merged(double ratio, EpochsConfig epochs) {
    return BigDecimal.valueOf(ratio)
        .multiply(BigDecimal.valueOf(Math.min(epochs.ssl(), epochs.sl())))
        .setScale(0, RoundingMode.HALF_UP)
        .intValueExact();
  }
}
