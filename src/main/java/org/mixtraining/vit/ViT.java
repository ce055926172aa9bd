package org.mixtraining.vit;

import java.io.Serializable;
import java.util.Locale;
import org.mixtraining.config.ModelConfig;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.config.ModelConfig.Positions;
import org.mixtraining.config.UserException;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.layers.StochasticDepth;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonInclude;
import org.nd4j.shade.jackson.annotation.JsonInclude.Include;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * The dimensions of a Vision Transformer (Dosovitskiy et al., arXiv 2010.11929) and of its masked
 * autoencoder's decoder (He et al., arXiv 2111.06377).
 *
 * @param imageSize height and width of an image, in pixels
 * @param channels colour channels
 * @param patch height and width of a patch, in pixels
 * @param dim width of an encoder token
 * @param depth encoder blocks
 * @param heads attention heads of an encoder block
 * @param decoderDim width of a decoder token
 * @param decoderDepth decoder blocks
 * @param decoderHeads attention heads of a decoder block
 * @param classes outputs of the classification head
 * @param pooling how an image's tokens become its feature vector
 * @param maskRatio share of an image's patches that the masked autoencoder hides
 * @param normPix whether the autoencoder's target is each patch normalised by its own mean and
 *     standard deviation
 * @param dropPath the last encoder block's rate of {@link StochasticDepth}, in [0, 1)
 * @param positions what tells the encoder where a patch lies; null in older files: fixed
 * @param mlpRatio width of an MLP's hidden layer in token widths; null: 4
 */
public record ViT(
    @JsonProperty("imageSize") int imageSize,
    @JsonProperty("channels") int channels,
    @JsonProperty("patch") int patch,
    @JsonProperty("dim") int dim,
    @JsonProperty("depth") int depth,
    @JsonProperty("heads") int heads,
    @JsonProperty("decoderDim") int decoderDim,
    @JsonProperty("decoderDepth") int decoderDepth,
    @JsonProperty("decoderHeads") int decoderHeads,
    @JsonProperty("classes") int classes,
    @JsonProperty("pooling") Pooling pooling,
    @JsonProperty("maskRatio") double maskRatio,
    @JsonProperty("normPix") boolean normPix,
    @JsonProperty("dropPath") double dropPath,
    @JsonProperty("positions") Positions positions,
    @JsonProperty("mlpRatio") @JsonInclude(Include.NON_NULL) Integer mlpRatio)
    implements Serializable {

  private static final Integer MLP_RATIO = 4;

  /** LayerNorm's epsilon, as in timm and MAE. */
  public static final float EPSILON = 1e-6f;

  @JsonCreator
  public ViT {
    positions = positions == null ? Positions.SIN_COS : positions;
    mlpRatio = MLP_RATIO.equals(mlpRatio) ? null : mlpRatio; // as files say it
    if (dim % heads != 0 || decoderDim % decoderHeads != 0 || dim % 4 != 0 || decoderDim % 4 != 0) {
      throw new IllegalArgumentException("token widths must be multiples of 4 and of their heads");
    }
  }

  /** A model with fixed positions and without stochastic depth. */
  public ViT(
      int imageSize,
      int channels,
      int patch,
      int dim,
      int depth,
      int heads,
      int decoderDim,
      int decoderDepth,
      int decoderHeads,
      int classes,
      Pooling pooling,
      double maskRatio,
      boolean normPix) {
    this(
        imageSize,
        channels,
        patch,
        dim,
        depth,
        heads,
        decoderDim,
        decoderDepth,
        decoderHeads,
        classes,
        pooling,
        maskRatio,
        normPix,
        0,
        Positions.SIN_COS,
        null);
  }

  /**
   * The model of a configuration, for images of the given shape.
   *
   * @throws UserException if the image is not square or the patch does not divide it
   */
  public static ViT of(ModelConfig model, int height, int width, int channels, int classes) {
    if (height != width || height % model.patch() != 0) {
      throw new UserException(
          String.format(
              Locale.ROOT,
              "mixtraining.model.patch = %d: must divide the image size, which is %dx%d in the prepared dataset",
              model.patch(),
              height,
              width));
    }
    ModelConfig.Encoder encoder = model.encoder();
    return new ViT(
        height,
        channels,
        model.patch(),
        encoder.dim(),
        encoder.depth(),
        encoder.heads(),
        model.decoder().dim(),
        model.decoder().depth(),
        encoder.heads(),
        classes,
        model.pooling(),
        model.maskRatio(),
        model.normPix(),
        model.dropPath(),
        model.positions(),
        encoder.mlpRatio());
  }

  /** Whether the encoder has a parameter for the place of each patch. */
  public boolean learnsPositions() {
    return positions == Positions.LEARNED;
  }

  /** Width of the hidden layer of an MLP for tokens of a width. */
  public int hidden(int width) {
    return (mlpRatio == null ? MLP_RATIO : mlpRatio) * width;
  }

  /** Patches along one side of an image. */
  public int grid() {
    return imageSize / patch;
  }

  /** Patches of an image. */
  public int patches() {
    return grid() * grid();
  }

  /** Values of a patch: channels · patch · patch. */
  public int patchValues() {
    return channels * patch * patch;
  }

  /** This model with another mask ratio, in [0, 1). */
  public ViT masking(double ratio) {
    return with(imageSize, classes, ratio);
  }

  /** This model for another task: an encoder takes images of any size that its patch divides. */
  public ViT serving(int imageSize, int classes) {
    return with(imageSize, classes, maskRatio);
  }

  private ViT with(int imageSize, int classes, double maskRatio) {
    return new ViT(
        imageSize,
        channels,
        patch,
        dim,
        depth,
        heads,
        decoderDim,
        decoderDepth,
        decoderHeads,
        classes,
        pooling,
        maskRatio,
        normPix,
        dropPath,
        positions,
        mlpRatio);
  }

  /**
   * Patches of a masked image that stay visible: whatever the ratio, at least one, and one less
   * than all.
   */
  public int visiblePatches() {
    return Math.max(1, Math.min(patches() - 1, (int) (patches() * (1 - maskRatio))));
  }

  /** Tokens of a whole image, class token included. */
  public int fullTokens() {
    return patches() + 1;
  }

  /** Tokens of a masked image, class token included. */
  public int visibleTokens() {
    return visiblePatches() + 1;
  }

  /**
   * Floating-point operations (2 per multiply-add) of one training step's matrix products for one
   * image: the forward pass and twice as much for the backward pass.
   *
   * @param sight what the encoder sees
   */
  public double trainingFlops(Objective objective, EncoderInput sight) {
    double flops = 0;
    if (sight.selects()) {
      flops += encoderFlops(visibleTokens());
    }
    if (sight.covers()) {
      flops += encoderFlops(fullTokens());
    }
    if (objective != Objective.SL) {
      int encoded = sight.selects() ? visibleTokens() : fullTokens();
      flops += 2.0 * encoded * dim * decoderDim * 3;
      flops += decoderDepth * blockFlops(fullTokens(), decoderDim) * 3;
      flops += 2.0 * fullTokens() * decoderDim * patchValues() * 3;
    }
    if (objective != Objective.SSL) {
      flops += 2.0 * dim * classes * 3;
    }
    return flops;
  }

  /** The same for one forward pass of the encoder and the head over a whole image. */
  public double inferenceFlops() {
    int tokens = fullTokens();
    return embeddingFlops(tokens) + depth * blockFlops(tokens, dim) + 2.0 * dim * classes;
  }

  private double encoderFlops(int tokens) {
    // No gradient flows into the pixels: the embedding's backward pass is one product, not two.
    return embeddingFlops(tokens) * 2 + depth * blockFlops(tokens, dim) * 3;
  }

  private double embeddingFlops(int tokens) {
    return 2.0 * tokens * patchValues() * dim;
  }

  private double blockFlops(int tokens, int width) {
    double linear = 2.0 * tokens * width * (4 * width + 2 * hidden(width));
    double attention = 2.0 * 2 * tokens * tokens * width;
    return linear + attention;
  }
}
