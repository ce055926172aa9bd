package org.mixtraining.data.augment;

import java.util.function.IntUnaryOperator;

/**
 * Operations on brightness and colour, as Pillow and torchvision have them. A factor of 1 changes
 * nothing; 0 gives the image without what is named.
 */
final class ColorOps {
  private static final float[] RGB_TO_LUMA = {0.299f, 0.587f, 0.114f}; // ITU-R BT.601

  private ColorOps() {}

  /** Towards black, or away from it. */
  static void brightness(Canvas canvas, float factor) {
    replace(canvas, value -> Canvas.clamped(factor * value));
  }

  /** Towards the image's mean grey, or away from it. */
  static void contrast(Canvas canvas, float factor) {
    double sum = 0;
    for (int i = 0; i < canvas.area(); i++) {
      sum += luma(canvas, i);
    }
    float mean = (float) (sum / canvas.area());
    replace(canvas, value -> Canvas.clamped(mean + factor * (value - mean)));
  }

  /** Towards each pixel's grey, or away from it. */
  static void color(Canvas canvas, float factor) {
    byte[] pixels = canvas.pixels();
    for (int i = 0; i < canvas.area(); i++) {
      float grey = luma(canvas, i);
      for (int at = i; at < pixels.length; at += canvas.area()) {
        pixels[at] = Canvas.clamped(grey + factor * (canvas.value(at) - grey));
      }
    }
  }

  /** Towards the image smoothed by 3 x 3 pixels, or away from it; its border stays. */
  static void sharpness(Canvas canvas, float factor) {
    int width = canvas.width();
    System.arraycopy(canvas.pixels(), 0, canvas.next(), 0, canvas.next().length);
    for (int c = 0; c < canvas.channels(); c++) {
      for (int y = 1; y < canvas.height() - 1; y++) {
        for (int x = 1; x < width - 1; x++) {
          int at = c * canvas.area() + y * width + x;
          int sum = 4 * canvas.value(at);
          for (int row = at - width; row <= at + width; row += width) {
            sum += canvas.value(row - 1) + canvas.value(row) + canvas.value(row + 1);
          }
          float smooth = sum / 13f;
          canvas.next()[at] = Canvas.clamped(smooth + factor * (canvas.value(at) - smooth));
        }
      }
    }
    canvas.turn();
  }

  /** Keeps the highest bits of every value. */
  static void posterize(Canvas canvas, int bits) {
    int kept = -1 << (8 - bits);
    replace(canvas, value -> value & kept);
  }

  /** Inverts values of at least {@code threshold}. */
  static void solarize(Canvas canvas, int threshold) {
    replace(canvas, value -> value < threshold ? value : 255 - value);
  }

  /** Stretches each channel to the whole range. */
  static void autoContrast(Canvas canvas) {
    for (int c = 0; c < canvas.channels(); c++) {
      int[] counts = histogram(canvas, c);
      int low = 0;
      int high = 255;
      while (counts[low] == 0) {
        low++;
      }
      while (counts[high] == 0) {
        high--;
      }
      if (low < high) {
        int from = low;
        float stretch = 255f / (high - low);
        replace(canvas, c, table(value -> Canvas.clamped((value - from) * stretch)));
      }
    }
  }

  /** Gives each channel an even histogram. */
  static void equalize(Canvas canvas) {
    for (int c = 0; c < canvas.channels(); c++) {
      int[] counts = histogram(canvas, c);
      int last = 255;
      while (counts[last] == 0) {
        last--;
      }
      int step = (canvas.area() - counts[last]) / 255;
      if (step > 0) {
        int[] below = new int[256];
        for (int value = 1; value < 256; value++) {
          below[value] = below[value - 1] + counts[value - 1];
        }
        replace(canvas, c, table(value -> Math.min(255, (below[value] + step / 2) / step)));
      }
    }
  }

  private static float luma(Canvas canvas, int i) {
    if (canvas.channels() != RGB_TO_LUMA.length) {
      return canvas.value(i);
    }
    float luma = 0;
    for (int c = 0; c < RGB_TO_LUMA.length; c++) {
      luma += RGB_TO_LUMA[c] * canvas.value(c * canvas.area() + i);
    }
    return luma;
  }

  private static int[] histogram(Canvas canvas, int channel) {
    int[] counts = new int[256];
    for (int i = channel * canvas.area(); i < (channel + 1) * canvas.area(); i++) {
      counts[canvas.value(i)]++;
    }
    return counts;
  }

  private static byte[] table(IntUnaryOperator of) {
    byte[] table = new byte[256];
    for (int value = 0; value < 256; value++) {
      table[value] = (byte) of.applyAsInt(value);
    }
    return table;
  }

  /** Replaces the values of all channels. */
  private static void replace(Canvas canvas, IntUnaryOperator of) {
    byte[] table = table(of);
    for (int c = 0; c < canvas.channels(); c++) {
      replace(canvas, c, table);
    }
  }

  private static void replace(Canvas canvas, int channel, byte[] table) {
    byte[] pixels = canvas.pixels();
    for (int i = channel * canvas.area(); i < (channel + 1) * canvas.area(); i++) {
      pixels[i] = table[pixels[i] & 0xFF];
    }
  }
}
