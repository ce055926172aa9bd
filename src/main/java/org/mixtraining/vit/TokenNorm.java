package org.mixtraining.vit;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.vit.layers.TokenLayer;
import org.mixtraining.vit.layers.TokenNormLayer;
import org.nd4j.linalg.api.buffer.DataType;

/** The encoder's final layer norm, over each token. [rows, dim] to [rows, dim]. */
public final class TokenNorm extends ViTLayer {
  private static final long serialVersionUID = 1L;

  /** For Jackson. */
  TokenNorm() {}

  TokenNorm(String name, ViT vit, EncoderInput encoderInput) {
    super(name, vit, encoderInput);
  }

  @Override
  TokenLayer<?> instantiate(NeuralNetConfiguration conf, DataType dataType) {
    return new TokenNormLayer(conf, dataType);
  }
}
