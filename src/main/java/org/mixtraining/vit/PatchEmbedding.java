package org.mixtraining.vit;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.vit.layers.PatchEmbeddingLayer;
import org.mixtraining.vit.layers.TokenLayer;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * The patch embedding, from images to tokens: each patch through a linear map, plus its position
 * embedding, behind a class token.
 *
 * <p>Input [images, channels, height, width]; unless the encoder sees every patch, a features mask
 * [images, patches] with 1 at each visible patch, the same number in every row. Output [rows, dim].
 */
public final class PatchEmbedding extends ViTLayer {
  private static final long serialVersionUID = 1L;

  /** What is added to the fixed position embedding: [patches, dim], row-major. */
  public static final String POSITIONS = "positions";

  /** For Jackson. */
  PatchEmbedding() {}

  PatchEmbedding(String name, ViT vit, EncoderInput encoderInput) {
    super(name, vit, encoderInput);
  }

  @Override
  TokenLayer<?> instantiate(NeuralNetConfiguration conf, DataType dataType) {
    return new PatchEmbeddingLayer(conf, dataType);
  }
}
