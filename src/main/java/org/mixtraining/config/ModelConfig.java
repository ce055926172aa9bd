package org.mixtraining.config;

import java.io.Serializable;
import java.util.List;

/**
 * The ViT.
 *
 * @param preset {@code vit-tiny}, {@code vit-micro} or {@code vit-nano}
 * @param patch side of a patch in pixels
 * @param maskRatio share of the patches hidden in SSL epochs, in (0, 1)
 * @param normPix whether each patch is reconstructed normalized by its own mean and variance
 * @param dropPath the last block's rate of stochastic depth, in [0, 1)
 */
public record ModelConfig(
    String preset,
    int patch,
    Pooling pooling,
    double maskRatio,
    boolean normPix,
    double dropPath,
    Positions positions,
    Decoder decoder)
    implements Serializable {

  /** How the tokens of an image become one feature vector. */
  public enum Pooling {
    CLS,
    MEAN
  }

  /** What tells the encoder where a patch lies. */
  public enum Positions {
    /** A fixed embedding, as in MAE. */
    SIN_COS,
    /** The same and what is learned on top, as timm's supervised models have it. */
    LEARNED
  }

  /** The masked autoencoder's decoder: token width and number of blocks. */
  public record Decoder(int dim, int depth) implements Serializable {}

  /** Defaults follow the preset, and the pipeline: ssat has those of its authors. */
  static ModelConfig read(Settings settings, Pipeline pipeline) {
    String preset = settings.oneOf("model.preset", List.of("vit-tiny", "vit-micro", "vit-nano"));
    settings.byDefault(
        "model.decoder.dim",
        switch (preset) {
          case "vit-micro" -> 96;
          case "vit-nano" -> 48;
          default -> 192;
        });
    settings.byDefault(
        "model.decoder.depth",
        switch (preset) {
          case "vit-micro" -> 2;
          case "vit-nano" -> 1;
          default -> 4;
        });
    settings.byDefault("model.pooling", pipeline == Pipeline.SSAT ? "cls" : "mean");
    settings.byDefault("model.norm-pix", pipeline != Pipeline.SSAT);
    return new ModelConfig(
        preset,
        settings.whole("model.patch", 1),
        settings.choice("model.pooling", Pooling.class),
        settings.number("model.mask-ratio", v -> 0 < v && v < 1, "in (0, 1)"),
        settings.flag("model.norm-pix"),
        settings.number("model.drop-path", v -> 0 <= v && v < 1, "in [0, 1)"),
        settings.choice("model.positions", Positions.class),
        new Decoder(
            settings.whole(
                "model.decoder.dim", dim -> dim > 0 && dim % 12 == 0, "a positive multiple of 12"),
            settings.whole("model.decoder.depth", 1)));
  }
}
