package org.mixtraining.vit;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.vit.layers.DecoderEmbeddingLayer;
import org.mixtraining.vit.layers.TokenLayer;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * The decoder's embedding, from encoder tokens to decoder tokens: those that there are through a
 * linear map, a learned mask token in the place of each patch that the encoder has not seen, and
 * the decoder's position embedding added to all. After a {@link MaskToken} the encoder has a token
 * for every patch.
 *
 * <p>Input [rows, dim] and the features mask; output [images · (1 + patches), decoderDim].
 */
public final class DecoderEmbedding extends ViTLayer {
  private static final long serialVersionUID = 1L;

  /** For Jackson. */
  DecoderEmbedding() {}

  DecoderEmbedding(String name, ViT vit, EncoderInput encoderInput) {
    super(name, vit, encoderInput);
  }

  @Override
  TokenLayer<?> instantiate(NeuralNetConfiguration conf, DataType dataType) {
    return new DecoderEmbeddingLayer(conf, dataType);
  }
}
