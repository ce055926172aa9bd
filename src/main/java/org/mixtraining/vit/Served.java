package org.mixtraining.vit;

import java.io.Serializable;

/**
 * The images, the task and the masking that a {@link ViT} is used with: each may differ from one
 * step to the next.
 *
 * @param imageSize height and width of an image, in pixels
 * @param classes outputs of the classification head
 * @param maskRatio share of an image's patches that the masked autoencoder hides, in [0, 1)
 */
public record Served(int imageSize, int classes, double maskRatio) implements Serializable {

  Served masking(double ratio) {
    return new Served(imageSize, classes, ratio);
  }
}
