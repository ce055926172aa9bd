package org.mixtraining.config;

import java.io.Serializable;
import java.util.List;
import java.util.Set;
import org.mixtraining.config.hocon.Canonical.Inline;
import org.mixtraining.config.hocon.Settings;

/**
 * The ViT.
 *
 * @param patch side of a patch in pixels
 * @param maskRatio share of the patches masked in SSL epochs, in (0, 1)
 * @param normPix whether each patch is reconstructed normalized by its own mean and variance
 * @param dropPath the last block's rate of stochastic depth, in [0, 1)
 */
public record ModelConfig(
    @Inline Encoder encoder,
    int patch,
    Pooling pooling,
    double maskRatio,
    boolean normPix,
    double dropPath,
    Positions positions,
    Decoder decoder)
    implements Serializable {

  /** Keys that a preset is a name for the values of. */
  static final Set<String> OF_PRESET =
      Set.of("model.dim", "model.depth", "model.heads", "model.mlp-ratio");

  /** Pooling of the tokens of an image to one feature vector. */
  public enum Pooling {
    CLS,
    MEAN
  }

  /** The encoder's position embedding. */
  public enum Positions {
    /** A fixed embedding, as in MAE. */
    SIN_COS,
    /** The same and what is learned on top, as timm's supervised models have it. */
    LEARNED
  }

  /**
   * The architecture of the encoder.
   *
   * @param preset whose sizes are the defaults
   * @param dim width of a token, a multiple of 4 and of the heads
   * @param depth transformer blocks
   * @param heads attention heads of a block, of the decoder's blocks too
   * @param mlpRatio width of an MLP's hidden layer in token widths, in the decoder too
   */
  public record Encoder(String preset, int dim, int depth, int heads, int mlpRatio)
      implements Serializable {

    /** Sizes by name: those of DeiT and timm, and two that train on a CPU. */
    private static final List<Encoder> PRESETS =
        List.of(
            new Encoder("vit-base", 768, 12, 12, 4),
            new Encoder("vit-small", 384, 12, 6, 4),
            new Encoder("vit-tiny", 192, 12, 3, 4),
            new Encoder("vit-micro", 96, 6, 3, 4),
            new Encoder("vit-nano", 48, 3, 3, 4));

    private static Encoder read(Settings settings) {
      String name = settings.oneOf("model.preset", PRESETS.stream().map(Encoder::preset).toList());
      Encoder preset =
          PRESETS.stream().filter(p -> p.preset.equals(name)).findFirst().orElseThrow();
      settings.byDefault("model.dim", preset.dim);
      settings.byDefault("model.depth", preset.depth);
      settings.byDefault("model.heads", preset.heads);
      settings.byDefault("model.mlp-ratio", preset.mlpRatio);
      Encoder encoder =
          new Encoder(
              name,
              settings.whole("model.dim", v -> v > 0 && v % 4 == 0, "a positive multiple of 4"),
              settings.whole("model.depth", 1),
              settings.whole("model.heads", 1),
              settings.whole("model.mlp-ratio", 1));
      if (encoder.dim % encoder.heads != 0) {
        settings.refuse("model.heads", "must divide mixtraining.model.dim = " + encoder.dim);
        return preset;
      }
      return encoder;
    }

    /**
     * What every token width is a multiple of: the heads, and 4 for positions in two dimensions.
     */
    private int step() {
      return heads % 4 == 0 ? heads : heads % 2 == 0 ? 2 * heads : 4 * heads;
    }
  }

  /** The masked autoencoder's decoder: token width and number of blocks. */
  public record Decoder(int dim, int depth) implements Serializable {}

  /** The name of the encoder's preset. */
  public String preset() {
    return encoder.preset;
  }

  /** Defaults follow the encoder, and the pipeline: ssat has those of its authors. */
  static ModelConfig read(Settings settings, Pipeline pipeline) {
    Encoder encoder = Encoder.read(settings);
    settings.byDefault("model.decoder.dim", encoder.dim);
    settings.byDefault("model.decoder.depth", Math.max(1, encoder.depth / 3));
    settings.byDefault("model.pooling", pipeline == Pipeline.SSAT ? "cls" : "mean");
    settings.byDefault("model.norm-pix", pipeline != Pipeline.SSAT);
    return new ModelConfig(
        encoder,
        settings.whole("model.patch", 1),
        settings.choice("model.pooling", Pooling.class),
        settings.number("model.mask-ratio", v -> 0 < v && v < 1, "in (0, 1)"),
        settings.flag("model.norm-pix"),
        settings.number("model.drop-path", v -> 0 <= v && v < 1, "in [0, 1)"),
        settings.choice("model.positions", Positions.class),
        new Decoder(
            settings.whole(
                "model.decoder.dim",
                dim -> dim > 0 && dim % encoder.step() == 0,
                "a positive multiple of " + encoder.step()),
            settings.whole("model.decoder.depth", 1)));
  }
}
