package org.mixtraining.reference;

import java.util.LinkedHashMap;
import java.util.Map;
import org.mixtraining.reference.ReferenceViT.Dimensions;

/**
 * Weights and images that need no file: the same formula gives the same numbers in any language.
 */
public final class Formula {

  private Formula() {}

  /**
   * Entry i of tensor t (its place in {@link ReferenceViT#shapes}) is 0.3·sin(1 + t + 0.37·i²), and
   * 1 more in the gain of a layer norm.
   */
  public static Map<String, double[]> weights(Dimensions d) {
    Map<String, double[]> weights = new LinkedHashMap<>();
    ReferenceViT.shapes(d)
        .forEach(
            (name, shape) -> {
              double base = name.endsWith(".gain") ? 1 : 0;
              int size = shape.length == 1 ? shape[0] : shape[0] * shape[1];
              weights.put(name, wave(base, 0.3, 1 + weights.size(), 0.37, size));
            });
    return weights;
  }

  /** Pixel i of image n, in planar order, is 0.5 + 0.5·sin(2 + n + 0.53·i²). */
  public static double[][] images(Dimensions d, int count) {
    double[][] images = new double[count][];
    for (int n = 0; n < count; n++) {
      images[n] = wave(0.5, 0.5, 2 + n, 0.53, d.channels() * d.imageSize() * d.imageSize());
    }
    return images;
  }

  /** base + amplitude·sin(phase + rate·i²) for i = 0 … size − 1. */
  static double[] wave(double base, double amplitude, double phase, double rate, int size) {
    double[] wave = new double[size];
    for (int i = 0; i < size; i++) {
      double square = (double) i * i;
      wave[i] = base + amplitude * Math.sin(phase + rate * square);
    }
    return wave;
  }
}
