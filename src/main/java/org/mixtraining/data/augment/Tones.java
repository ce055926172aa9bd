package org.mixtraining.data.augment;

import java.util.function.IntUnaryOperator;

/**
 * Operations on brightness and colour, as Pillow and torchvision have them. A factor of 1 changes
 * nothing; 0 gives the picture without what is named.
 */
final class Tones {
  private static final float[] RGB_TO_LUMA = {0.299f, 0.587f, 0.114f}; // ITU-R BT.601

  private Tones() {}

  /** Towards black, or away from it. */
  static void brightness(Picture picture, float factor) {
    byte[] table = table(value -> Picture.clamped(factor * value));
    for (int c = 0; c < picture.channels(); c++) {
      replace(picture, c, table);
    }
  }

  /** Towards the picture's mean grey, or away from it. */
  static void contrast(Picture picture, float factor) {
    double sum = 0;
    for (int i = 0; i < picture.area(); i++) {
      sum += luma(picture, i);
    }
    float mean = (float) (sum / picture.area());
    byte[] table = table(value -> Picture.clamped(mean + factor * (value - mean)));
    for (int c = 0; c < picture.channels(); c++) {
      replace(picture, c, table);
    }
  }

  /** Towards each pixel's grey, or away from it. */
  static void color(Picture picture, float factor) {
    byte[] pixels = picture.pixels();
    for (int i = 0; i < picture.area(); i++) {
      float grey = luma(picture, i);
      for (int at = i; at < pixels.length; at += picture.area()) {
        pixels[at] = Picture.clamped(grey + factor * (picture.value(at) - grey));
      }
    }
  }

  /** Towards the picture smoothed by 3 x 3 pixels, or away from it; its border stays. */
  static void sharpness(Picture picture, float factor) {
    int width = picture.width();
    System.arraycopy(picture.pixels(), 0, picture.next(), 0, picture.next().length);
    for (int c = 0; c < picture.channels(); c++) {
      for (int y = 1; y < picture.height() - 1; y++) {
        for (int x = 1; x < width - 1; x++) {
          int at = c * picture.area() + y * width + x;
          int sum = 4 * picture.value(at);
          for (int row = at - width; row <= at + width; row += width) {
            sum += picture.value(row - 1) + picture.value(row) + picture.value(row + 1);
          }
          float smooth = sum / 13f;
          picture.next()[at] = Picture.clamped(smooth + factor * (picture.value(at) - smooth));
        }
      }
    }
    picture.turn();
  }

  /** Keeps the highest bits of every value. */
  static void posterize(Picture picture, int bits) {
    int kept = -1 << (8 - bits);
    byte[] table = table(value -> value & kept);
    for (int c = 0; c < picture.channels(); c++) {
      replace(picture, c, table);
    }
  }

  /** Inverts values of at least {@code threshold}. */
  static void solarize(Picture picture, int threshold) {
    byte[] table = table(value -> value < threshold ? value : 255 - value);
    for (int c = 0; c < picture.channels(); c++) {
      replace(picture, c, table);
    }
  }

  /** Stretches each channel to the whole range. */
  static void autoContrast(Picture picture) {
    for (int c = 0; c < picture.channels(); c++) {
      int[] counts = histogram(picture, c);
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
        replace(picture, c, table(value -> Picture.clamped((value - from) * stretch)));
      }
    }
  }

  /** Gives each channel an even histogram. */
  static void equalize(Picture picture) {
    for (int c = 0; c < picture.channels(); c++) {
      int[] counts = histogram(picture, c);
      int last = 255;
      while (counts[last] == 0) {
        last--;
      }
      int step = (picture.area() - counts[last]) / 255;
      if (step > 0) {
        int[] below = new int[256];
        for (int value = 1; value < 256; value++) {
          below[value] = below[value - 1] + counts[value - 1];
        }
        replace(picture, c, table(value -> Math.min(255, (below[value] + step / 2) / step)));
      }
    }
  }

  private static float luma(Picture picture, int i) {
    if (picture.channels() != RGB_TO_LUMA.length) {
      return picture.value(i);
    }
    float luma = 0;
    for (int c = 0; c < RGB_TO_LUMA.length; c++) {
      luma += RGB_TO_LUMA[c] * picture.value(c * picture.area() + i);
    }
    return luma;
  }

  private static int[] histogram(Picture picture, int channel) {
    int[] counts = new int[256];
    for (int i = channel * picture.area(); i < (channel + 1) * picture.area(); i++) {
      counts[picture.value(i)]++;
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

  private static void replace(Picture picture, int channel, byte[] table) {
    byte[] pixels = picture.pixels();
    for (int i = channel * picture.area(); i < (channel + 1) * picture.area(); i++) {
      pixels[i] = table[pixels[i] & 0xFF];
    }
  }
}
