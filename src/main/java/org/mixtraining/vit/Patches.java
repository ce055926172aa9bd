package org.mixtraining.vit;

import org.mixtraining.kernels.Mat;

/** Patches of planar images, as rows of (channel, row, column) values. */
final class Patches {

  private Patches() {}

  /**
   * Copies one patch.
   *
   * @param images [images, channels · height · width]
   * @param into matrix with patchValues columns
   */
  static void copy(ViT vit, Mat images, int image, int patchIndex, Mat into, int row) {
    int size = vit.imageSize();
    int p = vit.patch();
    int top = patchIndex / vit.grid() * p;
    int left = patchIndex % vit.grid() * p;
    int at = 0;
    for (int c = 0; c < vit.channels(); c++) {
      for (int y = 0; y < p; y++) {
        int from = (c * size + top + y) * size + left;
        for (int x = 0; x < p; x++) {
          into.set(row, at++, images.get(image, from + x));
        }
      }
    }
  }

  /**
   * Normalises a patch by its own mean and standard deviation (unbiased, as torch.var in MAE):
   * {@code (x − mean) / √(var + 1e-6)}.
   */
  static void normalise(Mat patches, int row) {
    int n = patches.cols();
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += patches.get(row, i);
    }
    double mean = sum / n;
    double squares = 0;
    for (int i = 0; i < n; i++) {
      double d = patches.get(row, i) - mean;
      squares += d * d;
    }
    double scale = 1 / Math.sqrt(squares / (n - 1) + 1e-6);
    for (int i = 0; i < n; i++) {
      patches.set(row, i, (float) ((patches.get(row, i) - mean) * scale));
    }
  }
}
