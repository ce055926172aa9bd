package org.mixtraining.data.augment;

/**
 * One thing done to an image, with nothing left to chance: what the CPU does to a {@link Canvas},
 * and a device, which gets it as {@link #VALUES} numbers, by the kernel in {@code edits.cuh}.
 */
public final class Edit {

  /** What can be done, in the order of {@code edits.cuh}, which takes NONE as the end of a list. */
  private enum Operation {
    NONE,
    ZOOM,
    SHIFT,
    MIRROR,
    AFFINE,
    BRIGHTNESS,
    COLOR,
    CONTRAST,
    SHARPNESS,
    POSTERIZE,
    SOLARIZE,
    AUTO_CONTRAST,
    EQUALIZE,
    ERASE
  }

  private static final int MOST_ARGUMENTS = 5;

  /** Numbers that say what an edit is: the operation's, then its arguments. */
  public static final int VALUES = 1 + MOST_ARGUMENTS;

  private final Operation operation;
  private final double[] arguments;

  private Edit(Operation operation, double... arguments) {
    this.operation = operation;
    this.arguments = arguments;
  }

  /** {@link Resampling#zoom}. */
  static Edit zoom(Window window) {
    return new Edit(Operation.ZOOM, window.top(), window.left(), window.height(), window.width());
  }

  /** {@link PaddedCrop#shift}. */
  static Edit shift(int down, int right) {
    return new Edit(Operation.SHIFT, down, right);
  }

  /** {@link Flip#mirror}. */
  static Edit mirror() {
    return new Edit(Operation.MIRROR);
  }

  /** {@link Resampling#affine}. */
  static Edit affine(double xx, double xy, double yx, double yy) {
    return new Edit(Operation.AFFINE, xx, xy, yx, yy);
  }

  /** {@link Tones#brightness}. */
  static Edit brightness(float factor) {
    return new Edit(Operation.BRIGHTNESS, factor);
  }

  /** {@link Tones#color}. */
  static Edit color(float factor) {
    return new Edit(Operation.COLOR, factor);
  }

  /** {@link Tones#contrast}. */
  static Edit contrast(float factor) {
    return new Edit(Operation.CONTRAST, factor);
  }

  /** {@link Tones#sharpness}. */
  static Edit sharpness(float factor) {
    return new Edit(Operation.SHARPNESS, factor);
  }

  /** {@link Tones#posterize}. */
  static Edit posterize(int bits) {
    return new Edit(Operation.POSTERIZE, bits);
  }

  /** {@link Tones#solarize}. */
  static Edit solarize(int threshold) {
    return new Edit(Operation.SOLARIZE, threshold);
  }

  /** {@link Tones#autoContrast}. */
  static Edit autoContrast() {
    return new Edit(Operation.AUTO_CONTRAST);
  }

  /** {@link Tones#equalize}. */
  static Edit equalize() {
    return new Edit(Operation.EQUALIZE);
  }

  /**
   * {@link Erasing#paint}.
   *
   * @param color uint8 [channels], of which there are 6 at most
   */
  static Edit erase(Window window, byte[] color) {
    long packed = 0;
    for (int c = color.length - 1; c >= 0; c--) {
      packed = packed << 8 | (color[c] & 0xFF);
    }
    return new Edit(
        Operation.ERASE, window.top(), window.left(), window.height(), window.width(), packed);
  }

  /** Does it. */
  void apply(Canvas canvas) {
    switch (operation) {
      case NONE -> {}
      case ZOOM -> Resampling.zoom(canvas, window());
      case SHIFT -> PaddedCrop.shift(canvas, whole(0), whole(1));
      case MIRROR -> Flip.mirror(canvas);
      case AFFINE ->
          Resampling.affine(canvas, arguments[0], arguments[1], arguments[2], arguments[3]);
      case BRIGHTNESS -> Tones.brightness(canvas, factor());
      case COLOR -> Tones.color(canvas, factor());
      case CONTRAST -> Tones.contrast(canvas, factor());
      case SHARPNESS -> Tones.sharpness(canvas, factor());
      case POSTERIZE -> Tones.posterize(canvas, whole(0));
      case SOLARIZE -> Tones.solarize(canvas, whole(0));
      case AUTO_CONTRAST -> Tones.autoContrast(canvas);
      case EQUALIZE -> Tones.equalize(canvas);
      case ERASE -> Erasing.paint(canvas, window(), (long) arguments[4]);
    }
  }

  private Window window() {
    return new Window(whole(0), whole(1), whole(2), whole(3));
  }

  private int whole(int argument) {
    return (int) arguments[argument];
  }

  private float factor() {
    return (float) arguments[0];
  }

  /** Writes its {@link #VALUES} numbers. */
  public void write(double[] into, int at) {
    into[at] = operation.ordinal();
    System.arraycopy(arguments, 0, into, at + 1, arguments.length);
  }
}
