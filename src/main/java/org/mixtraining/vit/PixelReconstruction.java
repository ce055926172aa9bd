package org.mixtraining.vit;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.vit.layers.PixelReconstructionLayer;
import org.mixtraining.vit.layers.TokenLayer;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * The masked autoencoder's output: layer norm and a linear map from decoder tokens to the pixels of
 * their patches; the loss is the mean squared error over masked patches (He et al., arXiv
 * 2111.06377).
 *
 * <p>Input [images · (1 + patches), decoderDim] and the features mask; labels: the images
 * themselves, [images, channels, height, width].
 */
public final class PixelReconstruction extends ViTLayer {
  private static final long serialVersionUID = 1L;

  /** For Jackson. */
  PixelReconstruction() {}

  PixelReconstruction(String name, ViT vit) {
    super(name, vit, EncoderInput.FULL);
  }

  @Override
  TokenLayer<?> instantiate(NeuralNetConfiguration conf, DataType dataType) {
    return new PixelReconstructionLayer(conf, dataType);
  }
}
