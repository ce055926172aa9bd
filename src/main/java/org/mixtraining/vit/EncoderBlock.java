package org.mixtraining.vit;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.vit.layers.EncoderBlockLayer;
import org.mixtraining.vit.layers.TokenLayer;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A pre-norm transformer block: {@code x += proj(attention(norm1(x)))}, {@code x +=
 * fc2(gelu(fc1(norm2(x))))}. The decoder is made of the same blocks. [rows, dim] to [rows, dim].
 */
public final class EncoderBlock extends ViTLayer {
  private static final long serialVersionUID = 1L;

  private int dim;
  private int heads;
  private double dropPath;

  /** For Jackson. */
  EncoderBlock() {}

  /**
   * A block of the given token width; {@code encoderInput} says which tokens pass through it,
   * {@code dropPath} how many of the images skip one of its branches in training.
   */
  EncoderBlock(
      String name, ViT vit, EncoderInput encoderInput, int dim, int heads, double dropPath) {
    super(name, vit, encoderInput);
    this.dim = dim;
    this.heads = heads;
    this.dropPath = dropPath;
  }

  public int dim() {
    return dim;
  }

  public int heads() {
    return heads;
  }

  public double dropPath() {
    return dropPath;
  }

  @Override
  TokenLayer<?> instantiate(NeuralNetConfiguration conf, DataType dataType) {
    return new EncoderBlockLayer(conf, dataType);
  }
}
