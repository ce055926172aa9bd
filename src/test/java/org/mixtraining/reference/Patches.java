package org.mixtraining.reference;

/** An image cut into patches, and the pixels that a masked autoencoder is asked for. */
final class Patches {

  private Patches() {}

  /**
   * Patches in row-major order of the grid, each as (channel, row, column).
   *
   * @param image planar pixels, [channels, size, size]
   * @return [patches, channels·patch²]
   */
  static double[] cut(double[] image, int channels, int size, int patch) {
    if (image.length != channels * size * size) {
      throw new IllegalArgumentException(
          image.length + " pixels are no image[" + channels + ", " + size + ", " + size + "]");
    }
    double[] patches = new double[image.length];
    int next = 0;
    for (int top = 0; top < size; top += patch) {
      for (int left = 0; left < size; left += patch) {
        for (int channel = 0; channel < channels; channel++) {
          for (int y = top; y < top + patch; y++) {
            for (int x = left; x < left + patch; x++) {
              patches[next++] = image[(channel * size + y) * size + x];
            }
          }
        }
      }
    }
    return patches;
  }

  /** Each row of patches[…, length] as (x − mean)/√(var + 1e-6), the variance unbiased (n − 1). */
  static double[] normalized(double[] patches, int length) {
    double[] normalized = new double[patches.length];
    for (int start = 0; start < patches.length; start += length) {
      double mean = 0;
      for (int i = start; i < start + length; i++) {
        mean += patches[i] / length;
      }
      double variance = 0;
      for (int i = start; i < start + length; i++) {
        variance += (patches[i] - mean) * (patches[i] - mean) / (length - 1);
      }
      for (int i = start; i < start + length; i++) {
        normalized[i] = (patches[i] - mean) / Math.sqrt(variance + 1e-6);
      }
    }
    return normalized;
  }
}
