package org.mixtraining.vit;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.mixtraining.vit.layers.PatchEmbeddingLayer;
import org.mixtraining.vit.layers.TokenLayer;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Images to tokens: each patch through a linear map, plus its position embedding, behind a class
 * token.
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

  PatchEmbedding(String name, ViT vit, EncoderInput sight) {
    super(name, vit, sight);
  }

  @Override
  public List<Tensor> tensors() {
    int dim = vit().dim();
    List<Tensor> tensors = new ArrayList<>();
    tensors.add(Tensor.weight("weight", vit().patchValues(), dim));
    tensors.add(Tensor.vector("bias", dim, Tensor.Init.ZERO));
    tensors.add(Tensor.vector("cls", dim, Tensor.Init.TOKEN));
    if (vit().learnsPositions()) {
      tensors.add(Tensor.vector(POSITIONS, vit().patches() * dim, Tensor.Init.ZERO));
    }
    return tensors;
  }

  @Override
  TokenLayer<?> instantiate(NeuralNetConfiguration conf, DataType dataType) {
    return new PatchEmbeddingLayer(conf, dataType);
  }
}
