package org.mixtraining.vit.layers;

import java.util.Arrays;
import org.mixtraining.vit.ViT;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The visible patches of each image, read from a features mask. */
record PatchMask(int[][] visible, int[][] tokenOfPatch) {
  /**
   * @param mask [images, patches], 1 at each visible patch
   */
  static PatchMask of(INDArray mask, ViT vit) {
    if (mask == null) {
      throw new IllegalStateException("a masked pass needs a features mask [images, patches]");
    }
    int patches = vit.patches();
    if (mask.rank() != 2 || mask.size(1) != patches) {
      throw new IllegalArgumentException(
          "a features mask is [images, %s], got %s"
              .formatted(patches, Arrays.toString(mask.shape())));
    }
    float[] flags = mask.dup('c').data().asFloat();
    int images = flags.length / patches;
    int[][] visible = new int[images][vit.visiblePatches()];
    int[][] tokens = new int[images][patches];
    for (int i = 0; i < images; i++) {
      int seen = 0;
      for (int p = 0; p < patches; p++) {
        if (flags[i * patches + p] != 0) {
          if (seen == visible[i].length) {
            seen++; // one too many
            break;
          }
          visible[i][seen++] = p;
          tokens[i][p] = seen;
        }
      }
      if (seen != visible[i].length) {
        throw new IllegalArgumentException(
            "image %s of the mask must show exactly %s of %s patches"
                .formatted(i, visible[i].length, patches));
      }
    }
    return new PatchMask(visible, tokens);
  }

  /** The k-th visible patch of an image, in ascending order. */
  int patch(int image, int k) {
    return visible[image][k];
  }

  /** The encoder token of a patch, counted from 1 behind the class token; 0 if it is masked. */
  int token(int image, int patch) {
    return tokenOfPatch[image][patch];
  }
}
