package org.mixtraining.data;

import java.io.Serializable;
import java.util.List;

/**
 * Per-channel mean and standard deviation of the training images, pixels scaled to [0, 1].
 *
 * @param mean one value per channel
 * @param std one value per channel, above 0
 */
public record Normalization(List<Double> mean, List<Double> std) implements Serializable {
  public Normalization {
    mean = List.copyOf(mean);
    std = List.copyOf(std);
  }

  /** The normalised value of each of the 256 pixel values: [channels][256]. */
  public float[][] tables() {
    var tables = new float[mean.size()][256];
    for (int c = 0; c < tables.length; c++) {
      for (int value = 0; value < 256; value++) {
        tables[c][value] = (float) ((value / 255.0 - mean.get(c)) / std.get(c));
      }
    }
    return tables;
  }

  /**
   * Normalised images.
   *
   * @param images uint8, [channels, height, width] each, of one size
   * @return [images, channels, height, width]
   */
  public float[] apply(List<byte[]> images) {
    float[][] tables = tables();
    int size = images.isEmpty() ? 0 : images.get(0).length;
    int area = size / tables.length;
    var values = new float[images.size() * size];
    for (int i = 0; i < values.length; i++) {
      int p = i % size;
      values[i] = tables[p / area][images.get(i / size)[p] & 0xFF];
    }
    return values;
  }

  /** The mean as a pixel, uint8 [channels]. */
  byte[] meanColor() {
    var color = new byte[mean.size()];
    for (int c = 0; c < color.length; c++) {
      color[c] = (byte) Math.round(255 * mean.get(c));
    }
    return color;
  }
}
