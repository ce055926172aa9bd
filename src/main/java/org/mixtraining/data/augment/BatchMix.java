package org.mixtraining.data.augment;

/**
 * The mixture of an image and its partner by mixup or cutmix: inside a window it is the partner's,
 * elsewhere {@code share} · own + (1 − {@code share}) · partner's. A device gets it as {@link
 * #VALUES} numbers for the kernel in {@code images.cuh}.
 *
 * @param share of its own pixels outside the window
 * @param window what is pasted from the partner; it may be empty
 * @param target share of its own target
 */
public record BatchMix(float share, Window window, float target) {
  /** Length of the encoded mixture. */
  public static final int VALUES = 5;

  /** A mixture that blends and pastes nothing. */
  public static BatchMix blend(float share) {
    return new BatchMix(share, new Window(0, 0, 0, 0), share);
  }

  /** Pastes a window of an image of {@code area} pixels. */
  static BatchMix paste(Window window, int area) {
    return new BatchMix(1, window, 1 - (float) (window.height() * window.width()) / area);
  }

  /** Writes its {@link #VALUES} numbers. */
  public void write(float[] into, int at) {
    into[at] = share;
    into[at + 1] = window.top();
    into[at + 2] = window.left();
    into[at + 3] = window.height();
    into[at + 4] = window.width();
  }
}
