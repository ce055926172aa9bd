package org.mixtraining.data.augment;

/**
 * An image operation with drawn parameters. The CPU applies it to a {@link Canvas}; a device gets
 * it as {@link #VALUES} numbers for the kernel in {@code edits.cuh}.
 */
public record ImageOp(Operation operation, double... arguments) {

  /** Operation codes in the order of {@code edits.cuh}, where NONE ends a sequence. */
  enum Operation {
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

  /** Length of an encoded operation: its code, then its arguments. */
  public static final int VALUES = 1 + MOST_ARGUMENTS;

  /** {@link Resampling#zoom}. */
  static ImageOp zoom(Window window) {
    return new ImageOp(
        Operation.ZOOM, window.top(), window.left(), window.height(), window.width());
  }

  /**
   * {@link Erasing#paint}.
   *
   * @param color uint8 [channels], of which there are 6 at most
   */
  static ImageOp erase(Window window, byte[] color) {
    long packed = 0;
    for (int c = color.length - 1; c >= 0; c--) {
      packed = packed << 8 | (color[c] & 0xFF);
    }
    return new ImageOp(
        Operation.ERASE, window.top(), window.left(), window.height(), window.width(), packed);
  }

  /** Applies it to an image. */
  void apply(Canvas canvas) {
    switch (operation) {
      case NONE -> {}
      case ZOOM -> Resampling.zoom(canvas, window());
      case SHIFT -> PaddedCrop.shift(canvas, whole(0), whole(1));
      case MIRROR -> Flip.mirror(canvas);
      case AFFINE ->
          Resampling.affine(canvas, arguments[0], arguments[1], arguments[2], arguments[3]);
      case BRIGHTNESS -> ColorOps.brightness(canvas, factor());
      case COLOR -> ColorOps.color(canvas, factor());
      case CONTRAST -> ColorOps.contrast(canvas, factor());
      case SHARPNESS -> ColorOps.sharpness(canvas, factor());
      case POSTERIZE -> ColorOps.posterize(canvas, whole(0));
      case SOLARIZE -> ColorOps.solarize(canvas, whole(0));
      case AUTO_CONTRAST -> ColorOps.autoContrast(canvas);
      case EQUALIZE -> ColorOps.equalize(canvas);
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
