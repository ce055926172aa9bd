package org.mixtraining.vit;

import java.io.Serializable;
import org.mixtraining.config.ModelConfig;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.config.ModelConfig.Positions;
import org.mixtraining.config.UserException;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.Architecture.Transformer;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonInclude;
import org.nd4j.shade.jackson.annotation.JsonInclude.Include;
import org.nd4j.shade.jackson.annotation.JsonProperty;
import org.nd4j.shade.jackson.annotation.JsonValue;

/**
 * A Vision Transformer (Dosovitskiy et al., arXiv 2010.11929) with its masked autoencoder's decoder
 * (He et al., arXiv 2111.06377): its architecture, and what it serves. The numbers of patches and
 * tokens follow from both.
 */
public record ViT(Architecture architecture, Served served) implements Serializable {

  /** LayerNorm's epsilon, as in timm and MAE. */
  public static final float EPSILON = 1e-6f;

  /** The form in JSON, flat, with the names and the order that files of all versions have. */
  record Flat(
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
      @JsonProperty("positions") Positions positions, // null in older files: fixed
      @JsonProperty("mlpRatio") @JsonInclude(Include.NON_NULL) Integer mlpRatio) { // null: 4

    private static final int MLP_RATIO = 4;
  }

  // Annotated for the two Jacksons: Deeplearning4j's writes graphs, and the other model cards.
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  @com.fasterxml.jackson.annotation.JsonCreator(
      mode = com.fasterxml.jackson.annotation.JsonCreator.Mode.DELEGATING)
  static ViT of(Flat flat) {
    int ratio = flat.mlpRatio == null ? Flat.MLP_RATIO : flat.mlpRatio;
    return new ViT(
        new Architecture(
            new Transformer(flat.dim, flat.depth, flat.heads, ratio),
            new Transformer(flat.decoderDim, flat.decoderDepth, flat.decoderHeads, ratio),
            flat.channels,
            flat.patch,
            flat.pooling,
            flat.normPix,
            flat.dropPath,
            flat.positions == null ? Positions.SIN_COS : flat.positions),
        new Served(flat.imageSize, flat.classes, flat.maskRatio));
  }

  @JsonValue
  @com.fasterxml.jackson.annotation.JsonValue
  Flat flat() {
    Architecture a = architecture;
    return new Flat(
        served.imageSize(),
        a.channels(),
        a.patch(),
        a.encoder().dim(),
        a.encoder().depth(),
        a.encoder().heads(),
        a.decoder().dim(),
        a.decoder().depth(),
        a.decoder().heads(),
        served.classes(),
        a.pooling(),
        served.maskRatio(),
        a.normPix(),
        a.dropPath(),
        a.positions(),
        a.encoder().mlpRatio() == Flat.MLP_RATIO ? null : a.encoder().mlpRatio());
  }

  /**
   * The model of a configuration, for images of the given shape.
   *
   * @throws UserException if the image is not square or the patch does not divide it
   */
  public static ViT of(ModelConfig model, int height, int width, int channels, int classes) {
    if (height != width || height % model.patch() != 0) {
      throw new UserException(
          "mixtraining.model.patch = %s: must divide the image size, which is %sx%s in the prepared dataset"
              .formatted(model.patch(), height, width));
    }
    return new ViT(
        Architecture.of(model, channels), new Served(height, classes, model.maskRatio()));
  }

  public Transformer encoder() {
    return architecture.encoder();
  }

  public Transformer decoder() {
    return architecture.decoder();
  }

  /** Patches along one side of an image. */
  public int grid() {
    return served.imageSize() / architecture.patch();
  }

  /** Patches of an image. */
  public int patches() {
    return grid() * grid();
  }

  /** This model serving something else: an encoder takes any size that its patch divides. */
  public ViT serving(Served served) {
    return new ViT(architecture, served);
  }

  /** This model with another mask ratio, in [0, 1). */
  public ViT masking(double ratio) {
    return serving(served.masking(ratio));
  }

  /**
   * Patches of a masked image that stay visible: whatever the ratio, at least one, and one less
   * than all.
   */
  public int visiblePatches() {
    return Math.max(1, Math.min(patches() - 1, (int) (patches() * (1 - served.maskRatio()))));
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
   * @param input what the encoder sees
   */
  public double trainingFlops(Objective objective, EncoderInput input) {
    double flops = 0;
    if (input.selects()) {
      flops += encoderFlops(visibleTokens());
    }
    if (input.covers()) {
      flops += encoderFlops(fullTokens());
    }
    if (objective != Objective.SL) {
      int encoded = input.selects() ? visibleTokens() : fullTokens();
      flops += 2.0 * encoded * encoder().dim() * decoder().dim() * 3;
      flops += decoder().flops(fullTokens()) * 3;
      flops += 2.0 * fullTokens() * decoder().dim() * architecture.patchValues() * 3;
    }
    if (objective != Objective.SSL) {
      flops += 2.0 * encoder().dim() * served.classes() * 3;
    }
    return flops;
  }

  /** The same for one forward pass of the encoder and the head over a whole image. */
  public double inferenceFlops() {
    int tokens = fullTokens();
    return embeddingFlops(tokens)
        + encoder().flops(tokens)
        + 2.0 * encoder().dim() * served.classes();
  }

  private double encoderFlops(int tokens) {
    // No gradient flows into the pixels: the embedding's backward pass is one product, not two.
    return embeddingFlops(tokens) * 2 + encoder().flops(tokens) * 3;
  }

  private double embeddingFlops(int tokens) {
    return 2.0 * tokens * architecture.patchValues() * encoder().dim();
  }
}
