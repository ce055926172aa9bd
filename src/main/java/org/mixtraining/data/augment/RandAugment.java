package org.mixtraining.data.augment;

import java.util.SplittableRandom;
import org.mixtraining.config.Augment;

/**
 * RandAugment (Cubuk et al., arXiv 1909.13719): some operations in sequence, all equally likely,
 * all of one strength. Operations and strengths are torchvision's; it moves pixels bilinearly and
 * shears about the centre.
 */
record RandAugment(Augment.RandAugment options) implements Transform {
  private static final double LARGEST_MAGNITUDE = 30;
  private static final Op[] OPS = Op.values();

  @Override
  public void apply(Canvas canvas, SplittableRandom random) {
    double strength = options.magnitude() / LARGEST_MAGNITUDE;
    for (int i = 0; i < options.ops(); i++) {
      Op op = OPS[random.nextInt(OPS.length)];
      op.apply(canvas, random.nextBoolean() ? strength : -strength);
    }
  }

  /** What one of them does. AUTO_CONTRAST and EQUALIZE know no strength. */
  enum Op {
    IDENTITY,
    SHEAR_X,
    SHEAR_Y,
    TRANSLATE_X,
    TRANSLATE_Y,
    ROTATE,
    BRIGHTNESS,
    COLOR,
    CONTRAST,
    SHARPNESS,
    POSTERIZE,
    SOLARIZE,
    AUTO_CONTRAST,
    EQUALIZE;

    private static final double MOST_SHEAR = 0.3;
    private static final double MOST_SHIFT = 150.0 / 331; // of the image's side
    private static final double MOST_TURN = StrictMath.toRadians(30);
    private static final double MOST_CHANGE = 0.9;
    private static final int MOST_BITS_LOST = 4;

    /**
     * @param strength in [−1, 1]; the sign is a direction, for those that have one
     */
    void apply(Canvas canvas, double strength) {
      double size = Math.abs(strength);
      float factor = (float) (1 + MOST_CHANGE * strength);
      switch (this) {
        case IDENTITY -> {}
        case SHEAR_X -> Resampling.affine(canvas, 1, MOST_SHEAR * strength, 0, 1);
        case SHEAR_Y -> Resampling.affine(canvas, 1, 0, MOST_SHEAR * strength, 1);
        case TRANSLATE_X ->
            PaddedCrop.shift(canvas, 0, (int) (MOST_SHIFT * canvas.width() * strength));
        case TRANSLATE_Y ->
            PaddedCrop.shift(canvas, (int) (MOST_SHIFT * canvas.height() * strength), 0);
        case ROTATE -> {
          double cos = StrictMath.cos(MOST_TURN * strength);
          double sin = StrictMath.sin(MOST_TURN * strength);
          Resampling.affine(canvas, cos, sin, -sin, cos);
        }
        case BRIGHTNESS -> Tones.brightness(canvas, factor);
        case COLOR -> Tones.color(canvas, factor);
        case CONTRAST -> Tones.contrast(canvas, factor);
        case SHARPNESS -> Tones.sharpness(canvas, factor);
        case POSTERIZE -> Tones.posterize(canvas, 8 - (int) Math.round(MOST_BITS_LOST * size));
        case SOLARIZE -> Tones.solarize(canvas, (int) Math.ceil(256 * (1 - size)));
        case AUTO_CONTRAST -> Tones.autoContrast(canvas);
        case EQUALIZE -> Tones.equalize(canvas);
      }
    }
  }
}
