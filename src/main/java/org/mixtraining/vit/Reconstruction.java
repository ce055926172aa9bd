package org.mixtraining.vit;

import org.mixtraining.vit.layers.Patches;

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
   * That of images and what is predicted of their patches.
   *
   * @param pixels [images, channels, size, size], normalised
   * @param mask [images, patches], 1 at each visible patch
   * @param predictions [images, 1 + patches, patchValues]
   */
  public static Reconstruction of(ViT vit, float[] pixels, float[] mask, float[] predictions) {
    int images = mask.length / vit.patches();
    int values = vit.architecture().patchValues();
    float[] seen = new float[pixels.length];
    float[] completed = new float[pixels.length];
    float[] patch = new float[values];
    for (int i = 0; i < images; i++) {
      for (int p = 0; p < vit.patches(); p++) {
        Patches.copy(vit, pixels, i, p, patch, 0);
        if (mask[i * vit.patches() + p] > 0) {
          Patches.paste(vit, patch, seen, i, p);
        } else {
          predict(vit, predictions, (i * vit.fullTokens() + 1 + p) * values, patch);
        }
        Patches.paste(vit, patch, completed, i, p);
      }
    }
    return new Reconstruction(seen, completed);
  }

  /** Overwrites a patch with its prediction. */
  private static void predict(ViT vit, float[] predictions, int at, float[] patch) {
    double mean = 0;
    double deviation = 1;
    if (vit.architecture().normPix()) {
      mean = Patches.mean(patch);
      deviation = Patches.deviation(patch);
    }
    for (int j = 0; j < patch.length; j++) {
      patch[j] = (float) (predictions[at + j] * deviation + mean);
    }
  }
}
