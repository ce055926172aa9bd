package org.mixtraining.vit.layers;

import org.mixtraining.vit.ViT;

/** Patches of planar images, as rows of (channel, row, column) values. */
public final class Patches {

  private Patches() {}

  /**
   * Copies one patch.
   *
   * @param images planar images, [images, channels, height, width]
   * @param at where its values go in {@code into}
   */
  public static void copy(
      ViT vit, float[] images, int image, int patchIndex, float[] into, int at) {
    eachRow(
        vit,
        image,
        patchIndex,
        (ofImage, ofPatch, length) ->
            System.arraycopy(images, ofImage, into, at + ofPatch, length));
  }

  /** The reverse: puts one patch into planar images. */
  public static void paste(ViT vit, float[] patch, float[] images, int image, int patchIndex) {
    eachRow(
        vit,
        image,
        patchIndex,
        (ofImage, ofPatch, length) -> System.arraycopy(patch, ofPatch, images, ofImage, length));
  }

  private interface PatchRow {
    void at(int ofImage, int ofPatch, int length);
  }

  private static void eachRow(ViT vit, int image, int patchIndex, PatchRow body) {
    int channels = vit.architecture().channels();
    int size = vit.served().imageSize();
    int p = vit.architecture().patch();
    int top = patchIndex / vit.grid() * p;
    int left = patchIndex % vit.grid() * p;
    for (int c = 0; c < channels; c++) {
      for (int y = 0; y < p; y++) {
        body.at(((image * channels + c) * size + top + y) * size + left, (c * p + y) * p, p);
      }
    }
  }

  /**
   * Normalises a patch by its own {@linkplain #mean mean} and {@linkplain #deviation deviation}, as
   * in MAE.
   */
  static void normalise(float[] patch) {
    double mean = mean(patch);
    double scale = 1 / deviation(patch);
    for (int i = 0; i < patch.length; i++) {
      patch[i] = (float) ((patch[i] - mean) * scale);
    }
  }

  public static double mean(float[] patch) {
    double sum = 0;
    for (float value : patch) {
      sum += value;
    }
    return sum / patch.length;
  }

  /** {@code √(var + 1e-6)}, the variance unbiased as torch.var, and 0 of a single value. */
  public static double deviation(float[] patch) {
    double mean = mean(patch);
    double squares = 0;
    for (float value : patch) {
      double d = value - mean;
      squares += d * d;
    }
    return Math.sqrt(squares / Math.max(1, patch.length - 1) + 1e-6);
  }
}
