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
 * @param unlabelledFraction share of the images without a label that a JOINT epoch visits
 * @param labelPasses passes of a merged epoch over the labelled images
 * @param lambda share of the labelled image where it is mixed with one of {@code data.ssl}
 */
public record MixConfig(
    double ratio,
    MixMode mode,
    MixPass pass,
    Curve alpha,
    Curve maskRatio,
    Curve unlabelledFraction,
    int labelPasses,
    double lambda)
    implements Serializable {

  /**
   * How often a run shows an image that has a label where others have none, as far as {@link
   * #MOST_PASSES} of a merged epoch allow. Both numbers were chosen on validation images.
   */
  private static final int VIEWS = 54;

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
   * @param data to train on
   */
  static MixConfig read(
      Settings settings,
      Pipeline pipeline,
      EpochsConfig epochs,
      double modelMaskRatio,
      DataConfig data) {
    boolean ssat = pipeline == Pipeline.SSAT;
    MixPass pass = settings.choice("mix.pass", MixPass.class);
    Curve mask =
        !ssat && pass == MixPass.VISIBLE && !data.hasUnlabelled()
            ? new Curve(Curve.Shape.LINEAR, modelMaskRatio, 0)
            : Curve.constant(modelMaskRatio);
    settings.byDefault("mix.mask-ratio", mask.toString());
    double ratio = settings.number("mix.ratio", v -> 0 <= v && v <= 1, "in [0, 1]");
    settings.byDefault("mix.alpha", ssat ? "constant(0.9)" : "linear(1->0)");
    Curve alpha = settings.curve("mix.alpha", v -> 0 <= v && v <= 1, "in [0, 1]");
    boolean few = pass == MixPass.VISIBLE && data.hasUnlabelled();
    settings.byDefault("mix.unlabelled-fraction", (few ? alpha : Curve.constant(1)).toString());
    Curve visited = settings.curve("mix.unlabelled-fraction", v -> 0 <= v && v <= 1, "in [0, 1]");
    settings.byDefault(
        "mix.label-passes",
        few
            ? labelPasses(
                epochs, merged(ratio, epochs), modelMaskRatio, visited, data.labelFraction())
            : 1);
    return new MixConfig(
        ratio,
        settings.choice("mix.mode", MixMode.class),
        pass,
        alpha,
        settings.curve("mix.mask-ratio", v -> 0 <= v && v < 1, "in [0, 1)"),
        visited,
        settings.whole("mix.label-passes", 1),
        settings.number("mix.lambda", v -> 0 <= v && v <= 1, "in [0, 1]"));
  }

  /**
   * The passes of a merged epoch that a run is given by default where it is known how many of its
   * images have a label; a dataset that comes with few does not tell before it is read.
   *
   * @param modelMaskRatio share of the patches masked in SSL epochs
   * @param labelled share of the images that have a label that is used, in (0, 1]
   */
  public int labelPasses(EpochsConfig epochs, double modelMaskRatio, double labelled) {
    return labelPasses(epochs, merged(epochs), modelMaskRatio, unlabelledFraction, labelled);
  }

  private static int labelPasses(
      EpochsConfig epochs, int merged, double hidden, Curve visited, double labelled) {
    if (merged == 0) {
      return 1;
    }
    int missing = VIEWS - (epochs.sl() - merged);
    int wanted = Math.min(MOST_PASSES, Math.round((float) missing / merged));
    double paid = paidPasses(hidden, visited, labelled);
    return (int) Math.max(1, Math.min(1 + Math.floor(paid), wanted));
  }

  /**
   * Short passes over the labelled images that are paid for by the SL epoch that is saved, since
   * they see a part of its patches, and by the images without a label that are not visited.
   */
  private static double paidPasses(double hidden, Curve visited, double labelled) {
    return 1 / (1 - hidden) + (1 - labelled) * (1 - visited.mean()) / labelled;
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
