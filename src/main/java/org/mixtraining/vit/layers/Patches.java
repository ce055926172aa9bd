package org.mixtraining.vit.layers;

import org.mixtraining.kernels.Matrix;
import org.mixtraining.vit.ViT;

/** Patches of planar images, as rows of (channel, row, column) values. */
public final class Patches {

  private Patches() {}

  /**
   * Copies one patch.
   *
   * @param images [images, channels · height · width]
   * @param into matrix with patchValues columns
   */
  public static void copy(ViT vit, Matrix images, int image, int patchIndex, Matrix into, int row) {
    int size = vit.served().imageSize();
    int p = vit.architecture().patch();
    int top = patchIndex / vit.grid() * p;
    int left = patchIndex % vit.grid() * p;
    int at = 0;
    for (int c = 0; c < vit.architecture().channels(); c++) {
      for (int y = 0; y < p; y++) {
        int from = (c * size + top + y) * size + left;
        for (int x = 0; x < p; x++) {
          into.set(row, at++, images.get(image, from + x));
        }
      }
    }
  }

  /**
   * The reverse: puts one patch into a planar image.
   *
   * @param patches matrix with patchValues columns
   * @param image where the image begins in {@code into}
   */
  public static void paste(
      ViT vit, Matrix patches, int row, float[] into, int image, int patchIndex) {
    int size = vit.served().imageSize();
    int p = vit.architecture().patch();
    int top = patchIndex / vit.grid() * p;
    int left = patchIndex % vit.grid() * p;
    int at = 0;
    for (int c = 0; c < vit.architecture().channels(); c++) {
      for (int y = 0; y < p; y++) {
        int to = image + (c * size + top + y) * size + left;
        for (int x = 0; x < p; x++) {
          into[to + x] = patches.get(row, at++);
        }
      }
    }
  }

  /**
   * Normalises a patch by its own {@linkplain #mean mean} and {@linkplain #deviation deviation}, as
   * in MAE.
   */
  static void normalise(Matrix patches, int row) {
    double mean = mean(patches, row);
    double scale = 1 / deviation(patches, row);
    for (int i = 0; i < patches.cols(); i++) {
      patches.set(row, i, (float) ((patches.get(row, i) - mean) * scale));
    }
  }

  public static double mean(Matrix patches, int row) {
    double sum = 0;
    for (int i = 0; i < patches.cols(); i++) {
      sum += patches.get(row, i);
    }
    return sum / patches.cols();
  }

  /** {@code √(var + 1e-6)}, the variance unbiased as torch.var, and 0 of a single value. */
  public static double deviation(Matrix patches, int row) {
    double mean = mean(patches, row);
    double squares = 0;
    for (int i = 0; i < patches.cols(); i++) {
      double d = patches.get(row, i) - mean;
      squares += d * d;
    }
    return Math.sqrt(squares / Math.max(1, patches.cols() - 1) + 1e-6);
  }
}
