package org.mixtraining.vit;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.mixtraining.config.OptimizerConfig;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.Architecture.Transformer;
import org.mixtraining.vit.layers.StochasticDepth;
import org.mixtraining.vit.state.ModelState;

/**
 * The ComputationGraph of each objective, all of the same layers:
 *
 * <pre>
 * images → patch-embedding → encoder-0 … encoder-n → encoder-norm ┬→ decoder-embedding → decoder-0 … → pixels   (SSL, JOINT)
 *                                                                 └→ head                                       (SL, JOINT)
 * </pre>
 *
 * There is a head for each task; in a step on one task's images the others sit idle.
 *
 * <p>A corrupted pass has a mask-token behind the patch-embedding.
 */
public final class ViTGraph {

  static final String IMAGES = "images";
  public static final String PATCH_EMBEDDING = "patch-embedding";
  public static final String MASK_TOKEN = "mask-token";
  public static final String ENCODER_NORM = "encoder-norm";
  public static final String DECODER_EMBEDDING = "decoder-embedding";
  public static final String PIXELS = "pixels";
  public static final String HEAD = "head";

  private ViTGraph() {}

  /** AdamW's decay rates in an objective's epochs. */
  public static OptimizerConfig.Betas betas(OptimizerConfig optimizer, Objective objective) {
    return objective == Objective.SSL ? optimizer.sslBetas() : optimizer.slBetas();
  }

  /** The name of an encoder block, counted from 0. */
  public static String encoder(int i) {
    return "encoder-" + i;
  }

  /** The name of a decoder block, counted from 0. */
  public static String decoder(int i) {
    return "decoder-" + i;
  }

  /** Whether a {@link ModelState} block is that of a head. */
  public static boolean isHead(String block) {
    return block.startsWith(HEAD);
  }

  /** Whether an objective's epochs train a block, given that the model has it. */
  public static boolean trains(Objective objective, String block) {
    return switch (objective) {
      case SSL -> !isHead(block);
      case SL -> isHead(block) || block.equals(ModelState.ENCODER);
      case JOINT -> true;
    };
  }

  /** The configuration of a graph for a single task. */
  public static ComputationGraphConfiguration configuration(
      ViT vit, Objective objective, EncoderInput input, OptimizerConfig optimizer, long seed) {
    return configuration(
        vit, List.of(new Head(HEAD, vit.served().classes(), 1)), objective, input, optimizer, seed);
  }

  /**
   * A graph's configuration.
   *
   * @param heads one of each task
   * @param input what the encoder sees of an image
   * @param seed seed of the initial weights, which a layer has in common with its namesake in every
   *     other graph of the same seed
   */
  public static ComputationGraphConfiguration configuration(
      ViT vit,
      List<Head> heads,
      Objective objective,
      EncoderInput input,
      OptimizerConfig optimizer,
      long seed) {
    ModelSpec model = ModelSpec.of(vit, heads);
    OptimizerConfig.Betas betas = betas(optimizer, objective);
    GraphBuilder graph =
        new NeuralNetConfiguration.Builder()
            .seed(seed)
            .miniBatch(false) // the losses are means already
            .trainingWorkspaceMode(WorkspaceMode.ENABLED)
            .inferenceWorkspaceMode(WorkspaceMode.ENABLED)
            .graphBuilder()
            .addInputs(IMAGES);
    List<String> outputs = new ArrayList<>();
    String last = IMAGES;
    for (ViTLayer layer : layers(vit, heads, objective, input)) {
      String name = layer.getLayerName();
      ModelSpec.Layer parameters = model.layer(name);
      layer.optimize(
          new AdamW(
              parameters.block(),
              objective == Objective.SL ? rateScale(optimizer, parameters) : 1,
              betas.first(),
              betas.second(),
              new ConstantLearningRate(optimizer.rates().baseLr())),
          new DecoupledWeightDecay(optimizer.weightDecay()));
      graph.addLayer(name, layer, layer instanceof ClassHead ? ENCODER_NORM : last);
      if (layer instanceof PixelReconstruction || layer instanceof ClassHead) {
        outputs.add(name);
      }
      last = name;
    }
    graph.setOutputs(outputs.toArray(String[]::new));
    return graph.build();
  }

  /**
   * Layer-wise decay of the learning rate in SL epochs (Clark et al., ELECTRA, arXiv 2003.10555),
   * counted as in MAE's fine-tuning: the head and the encoder's norm learn at the full rate, each
   * layer below at {@code layer-decay} times the rate of the one above it.
   */
  private static double rateScale(OptimizerConfig optimizer, ModelSpec.Layer layer) {
    return Math.pow(optimizer.layerDecay(), layer.above());
  }

  /** A graph's layers in order. */
  private static List<ViTLayer> layers(
      ViT vit, List<Head> heads, Objective objective, EncoderInput encoderInput) {
    List<ViTLayer> layers = new ArrayList<>();
    layers.add(new PatchEmbedding(PATCH_EMBEDDING, vit, encoderInput));
    if (encoderInput == EncoderInput.CORRUPTED) {
      layers.add(new MaskToken(MASK_TOKEN, vit));
    }
    Transformer encoder = vit.encoder();
    for (int i = 0; i < encoder.depth(); i++) {
      double drop = StochasticDepth.rate(vit.architecture(), objective, i);
      layers.add(
          new EncoderBlock(encoder(i), vit, encoderInput, encoder.dim(), encoder.heads(), drop));
    }
    layers.add(new TokenNorm(ENCODER_NORM, vit, encoderInput));
    if (objective != Objective.SL) {
      layers.add(new DecoderEmbedding(DECODER_EMBEDDING, vit, encoderInput));
      int width = vit.decoder().dim();
      for (int i = 0; i < vit.decoder().depth(); i++) {
        layers.add(
            new EncoderBlock(decoder(i), vit, EncoderInput.FULL, width, vit.decoder().heads(), 0));
      }
      layers.add(new PixelReconstruction(PIXELS, vit));
    }
    if (objective != Objective.SSL) {
      heads.forEach(head -> layers.add(new ClassHead(head, vit, encoderInput)));
    }
    return layers;
  }
}
