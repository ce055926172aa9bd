package org.mixtraining.data.augment;

/** An image that operations are applied to, with a second buffer for the result of the next one. */
public final class Canvas {
  private final int channels;
  private final int height;
  private final int width;
  private byte[] pixels;
  private byte[] next;

  /** A black image. */
  public Canvas(int channels, int height, int width) {
    this.channels = channels;
    this.height = height;
    this.width = width;
    this.pixels = new byte[channels * height * width];
    this.next = new byte[pixels.length];
  }

  /** The image itself, uint8 [channels, height, width]; a transform may put another array here. */
  public byte[] pixels() {
    return pixels;
  }

  /** The second buffer, of the same size as {@link #pixels}; its content is undefined. */
  byte[] next() {
    return next;
  }

  /** Makes the content of {@link #next} the image. */
  void turn() {
    byte[] old = pixels;
    pixels = next;
    next = old;
  }

  int channels() {
    return channels;
  }

  int height() {
    return height;
  }

  int width() {
    return width;
  }

  /** Pixels of a channel. */
  int area() {
    return height * width;
  }

  /** The value in [0, 255] at an index of {@link #pixels}. */
  int value(int index) {
    return pixels[index] & 0xFF;
  }

  /** The nearest value that a pixel can have. */
  static byte clamped(float value) {
    return (byte) Math.round(Math.max(0, Math.min(255, value)));
  }
}
