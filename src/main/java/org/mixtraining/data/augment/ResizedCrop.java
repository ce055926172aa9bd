package org.mixtraining.data.augment;

import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.mixtraining.config.AugmentConfig;

/**
 * RandomResizedCrop: a random window, resized to the image's size. Where ten random windows do not
 * fit, it is the largest one in the middle.
 */
record ResizedCrop(AugmentConfig.ResizedCrop options) implements Transform {

  @Override
  public void draw(SplittableRandom random, int height, int width, Consumer<ImageOp> ops) {
    Window window =
        Window.draw(random, height, width, options.scale(), options.ratio())
            .orElseGet(() -> Window.largest(height, width, options.ratio()));
    ops.accept(ImageOp.zoom(window));
  }
}
