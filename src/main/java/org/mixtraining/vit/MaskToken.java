package org.mixtraining.vit;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.vit.layers.MaskTokenLayer;
import org.mixtraining.vit.layers.TokenLayer;
import org.mixtraining.vit.state.ModelState;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Puts a learned token, with the position's embedding, in the place of each masked patch before the
 * encoder (Xie et al., SimMIM, arXiv 2111.09886). Other tokens pass as they are.
 *
 * <p>Input [images · (1 + patches), dim] and the features mask; output of the same shape. Its token
 * is a {@link ModelState} block of its own, since no other pass uses it.
 */
public final class MaskToken extends ViTLayer {
  private static final long serialVersionUID = 1L;

  /** For Jackson. */
  MaskToken() {}

  MaskToken(String name, ViT vit) {
    super(name, vit, EncoderInput.CORRUPTED);
  }

  @Override
  TokenLayer<?> instantiate(NeuralNetConfiguration conf, DataType dataType) {
    return new MaskTokenLayer(conf, dataType);
  }
}
