package org.mixtraining.data.augment;

import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.mixtraining.config.AugmentConfig;
import org.mixtraining.data.augment.ImageOp.Operation;

/**
 * RandAugment (Cubuk et al., arXiv 1909.13719): some operations in sequence, all equally likely,
 * all of one strength. Operations and strengths are torchvision's; it moves pixels bilinearly and
 * shears about the centre.
 */
record RandAugment(AugmentConfig.RandAugment options) implements Transform {
  private static final double LARGEST_MAGNITUDE = 30;
  private static final Op[] OPS = Op.values();

  @Override
  public void draw(SplittableRandom random, int height, int width, Consumer<ImageOp> ops) {
    double strength = options.magnitude() / LARGEST_MAGNITUDE;
    for (int i = 0; i < options.ops(); i++) {
      Op op = OPS[random.nextInt(OPS.length)];
      op.operation(random.nextBoolean() ? strength : -strength, height, width).ifPresent(ops);
    }
  }

  @Override
  public int most() {
    return options.ops();
  }

  /** Its operations. AUTO_CONTRAST and EQUALIZE ignore the strength. */
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
     * The operation on an image of this size; empty if it changes nothing.
     *
     * @param strength in [−1, 1]; the sign is a direction, for those that have one
     */
    Optional<ImageOp> operation(double strength, int height, int width) {
      double size = Math.abs(strength);
      float factor = (float) (1 + MOST_CHANGE * strength);
      return switch (this) {
        case IDENTITY -> Optional.empty();
        case SHEAR_X -> Optional.of(new ImageOp(Operation.AFFINE, 1, MOST_SHEAR * strength, 0, 1));
        case SHEAR_Y -> Optional.of(new ImageOp(Operation.AFFINE, 1, 0, MOST_SHEAR * strength, 1));
        case TRANSLATE_X ->
            Optional.of(new ImageOp(Operation.SHIFT, 0, (int) (MOST_SHIFT * width * strength)));
        case TRANSLATE_Y ->
            Optional.of(new ImageOp(Operation.SHIFT, (int) (MOST_SHIFT * height * strength), 0));
        case ROTATE -> {
          double cos = StrictMath.cos(MOST_TURN * strength);
          double sin = StrictMath.sin(MOST_TURN * strength);
          yield Optional.of(new ImageOp(Operation.AFFINE, cos, sin, -sin, cos));
        }
        case BRIGHTNESS -> Optional.of(new ImageOp(Operation.BRIGHTNESS, factor));
        case COLOR -> Optional.of(new ImageOp(Operation.COLOR, factor));
        case CONTRAST -> Optional.of(new ImageOp(Operation.CONTRAST, factor));
        case SHARPNESS -> Optional.of(new ImageOp(Operation.SHARPNESS, factor));
        case POSTERIZE ->
            Optional.of(
                new ImageOp(Operation.POSTERIZE, 8 - (int) Math.round(MOST_BITS_LOST * size)));
        case SOLARIZE ->
            Optional.of(new ImageOp(Operation.SOLARIZE, (int) Math.ceil(256 * (1 - size))));
        case AUTO_CONTRAST -> Optional.of(new ImageOp(Operation.AUTO_CONTRAST));
        case EQUALIZE -> Optional.of(new ImageOp(Operation.EQUALIZE));
      };
    }
  }
}
