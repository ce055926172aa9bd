package org.mixtraining.vit;

import java.io.Serializable;
import org.mixtraining.config.ModelConfig;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.config.ModelConfig.Positions;
import org.mixtraining.vit.layers.StochasticDepth;

/**
 * The architecture of a {@link ViT}, the same in all epochs and for all tasks of a run.
 *
 * @param channels colour channels
 * @param patch height and width of a patch, in pixels
 * @param pooling how an image's tokens become its feature vector
 * @param normPix whether the autoencoder's target is each patch normalised by its own mean and
 *     standard deviation
 * @param dropPath the last encoder block's rate of {@link StochasticDepth}, in [0, 1)
 * @param positions what tells the encoder where a patch lies
 */
public record Architecture(
    Transformer encoder,
    Transformer decoder,
    int channels,
    int patch,
    Pooling pooling,
    boolean normPix,
    double dropPath,
    Positions positions)
    implements Serializable {

  /**
   * A stack of transformer blocks.
   *
   * @param dim width of a token
   * @param depth blocks
   * @param heads attention heads of a block
   * @param mlpRatio width of an MLP's hidden layer in token widths
   */
  public record Transformer(int dim, int depth, int heads, int mlpRatio) implements Serializable {

    public Transformer {
      if (dim % heads != 0 || dim % 4 != 0) {
        throw new IllegalArgumentException(
            "token widths must be multiples of 4 and of their heads");
      }
    }

    /** Width of the hidden layer of an MLP. */
    public int hidden() {
      return mlpRatio * dim;
    }

    /** Floating-point operations of a forward pass, of one image of so many tokens. */
    double flops(int tokens) {
      double linear = 2.0 * tokens * dim * (4 * dim + 2 * hidden());
      double attention = 2.0 * 2 * tokens * tokens * dim;
      return depth * (linear + attention);
    }
  }

  /** That of a configuration, for images of so many channels. */
  static Architecture of(ModelConfig model, int channels) {
    ModelConfig.Encoder encoder = model.encoder();
    ModelConfig.Decoder decoder = model.decoder();
    int ratio = encoder.mlpRatio();
    return new Architecture(
        new Transformer(encoder.dim(), encoder.depth(), encoder.heads(), ratio),
        new Transformer(decoder.dim(), decoder.depth(), encoder.heads(), ratio),
        channels,
        model.patch(),
        model.pooling(),
        model.normPix(),
        model.dropPath(),
        model.positions());
  }

  /** Whether the encoder has a parameter for the place of each patch. */
  public boolean learnsPositions() {
    return positions == Positions.LEARNED;
  }

  /** Values of a patch: channels · patch · patch. */
  public int patchValues() {
    return channels * patch * patch;
  }
}
