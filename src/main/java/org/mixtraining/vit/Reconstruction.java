package org.mixtraining.vit;

import org.mixtraining.kernels.Matrix;
import org.mixtraining.vit.layers.PatchMask;
import org.mixtraining.vit.layers.Patches;
import org.mixtraining.vit.layers.TokenLayer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Reconstruction of images by a masked autoencoder: the visible patches and the completed image.
 * Where it predicts patches normalised by their own mean and deviation, these are the masked
 * patches' true ones, as in the pictures of He et al. (arXiv 2111.06377): it cannot know them.
 *
 * @param seen [images, channels, size, size], normalised; masked patches are zero, the mean colour
 * @param completed the same with predictions in the masked patches
 */
public record Reconstruction(float[] seen, float[] completed) {

  /**
   * @param predictions [images · (1 + patches), patchValues]
   */
  static Reconstruction of(ViT vit, INDArray images, PatchMask patchMask, INDArray predictions) {
    Matrix original = TokenLayer.view(images);
    Matrix predicted = TokenLayer.view(predictions);
    int imageValues = original.cols();
    float[] seen = new float[original.rows() * imageValues];
    float[] completed = new float[seen.length];
    try (Matrix patch = Matrix.allocate(1, vit.architecture().patchValues())) {
      for (int i = 0; i < original.rows(); i++) {
        for (int p = 0; p < vit.patches(); p++) {
          Patches.copy(vit, original, i, p, patch, 0);
          if (patchMask.token(i, p) > 0) {
            Patches.paste(vit, patch, 0, seen, i * imageValues, p);
          } else {
            predict(vit, predicted, i * vit.fullTokens() + 1 + p, patch);
          }
          Patches.paste(vit, patch, 0, completed, i * imageValues, p);
        }
      }
    }
    return new Reconstruction(seen, completed);
  }

  /** Overwrites a patch with its prediction. */
  private static void predict(ViT vit, Matrix predicted, int row, Matrix patch) {
    double mean = 0;
    double deviation = 1;
    if (vit.architecture().normPix()) {
      mean = Patches.mean(patch, 0);
      deviation = Patches.deviation(patch, 0);
    }
    for (int j = 0; j < patch.cols(); j++) {
      patch.set(0, j, (float) (predicted.get(row, j) * deviation + mean));
    }
  }
}
