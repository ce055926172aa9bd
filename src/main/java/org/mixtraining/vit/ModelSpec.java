package org.mixtraining.vit;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.layers.PositionEmbedding;
import org.mixtraining.vit.layers.StochasticDepth;
import org.mixtraining.vit.layers.TokenLayer;
import org.mixtraining.vit.state.ModelState;
import org.nd4j.linalg.learning.regularization.WeightDecay;

/**
 * What a {@link Replica}'s training step computes, for whoever takes it elsewhere than in the
 * graph.
 *
 * @param vit the model; size of images, classes and share of hidden patches are the minibatch's and
 *     the plan's to say
 * @param sight what the encoder sees
 * @param heads of the tasks, none in SSL
 * @param slots all tensors, layer by layer
 * @param beta1 AdamW's decay rate of the first moments
 * @param beta2 that of the second moments
 * @param decay weight decay of matrices
 * @param dropRates of the encoder's blocks: see {@link StochasticDepth}
 * @param seed what stochastic depth is drawn from
 */
public record ModelSpec(
    ViT vit,
    Objective objective,
    EncoderInput sight,
    List<Head> heads,
    List<Slot> slots,
    double beta1,
    double beta2,
    double decay,
    List<Double> dropRates,
    long seed) {

  /** AdamW's epsilon. */
  public static final double EPSILON = AdamW.EPSILON;

  /** The epsilon of layer norms. */
  public static final float NORM_EPSILON = ViT.EPSILON;

  /** Width of an MLP's hidden layer, in token widths. */
  public static final int MLP_RATIO = ViT.MLP_RATIO;

  /**
   * A tensor and its place in the {@link ModelState}.
   *
   * @param name its layer's and its own, as {@code encoder-0.qkv.weight}
   * @param block of the state
   * @param at its first value in that block
   * @param decays whether it is a matrix, subject to weight decay
   * @param rateScale factor on the learning rate
   */
  public record Slot(
      String name, String block, int at, int rows, int cols, boolean decays, double rateScale) {
    public int size() {
      return rows * cols;
    }
  }

  /** Whether pixels are reconstructed: then patches are hidden. */
  public boolean reconstructs() {
    return objective != Objective.SL;
  }

  /** The blueprint of a replica's graph. */
  public static ModelSpec of(Replica replica) {
    List<Slot> slots = new ArrayList<>();
    List<Head> heads = new ArrayList<>();
    List<Double> dropRates = new ArrayList<>();
    Map<String, Integer> sizes = new HashMap<>();
    boolean reconstructs = false;
    double decay = 0;
    for (var layer : replica.graph().getLayers()) {
      ViTLayer conf = ((TokenLayer<?>) layer).layerConf();
      AdamW adam = (AdamW) conf.getIUpdater();
      decay = ((WeightDecay) conf.getRegularization().get(0)).getCoeff().valueAt(0, 0);
      for (Tensor tensor : conf.tensors()) {
        int end = sizes.merge(adam.block(), tensor.size(), Integer::sum);
        slots.add(
            new Slot(
                conf.getLayerName() + "." + tensor.name(),
                adam.block(),
                end - tensor.size(),
                tensor.rows(),
                tensor.cols(),
                tensor.decays(),
                adam.scale()));
      }
      reconstructs |= conf instanceof PixelReconstruction;
      if (conf instanceof ClassHead head) {
        heads.add(new Head(conf.getLayerName(), head.classes(), head.share()));
      } else if (conf instanceof EncoderBlock block
          && conf.getLayerName().startsWith(ViTGraph.ENCODER_LAYER)) {
        dropRates.add(block.dropPath());
      }
    }
    var first = replica.graph().getLayer(0).conf();
    ViTLayer conf = (ViTLayer) first.getLayer();
    AdamW adam = (AdamW) conf.getIUpdater();
    Objective objective =
        heads.isEmpty() ? Objective.SSL : reconstructs ? Objective.JOINT : Objective.SL;
    return new ModelSpec(
        conf.vit(),
        objective,
        conf.sight(),
        List.copyOf(heads),
        List.copyOf(slots),
        adam.beta1(),
        adam.beta2(),
        decay,
        List.copyOf(dropRates),
        first.getSeed());
  }

  /** The fixed position embedding of {@link PositionEmbedding}: [1 + patches, dim]. */
  public static float[] positions(int patches, int dim) {
    return PositionEmbedding.of((int) Math.round(Math.sqrt(patches)), dim);
  }

  /**
   * Factors on the two branches of an encoder block, of each image of a step.
   *
   * @return [branches][images]
   */
  public float[][] dropFactors(int block, int epoch, List<Long> ids) {
    float[][] byImage =
        StochasticDepth.factors(
            seed, epoch, ids, ViTGraph.ENCODER_LAYER + block, dropRates.get(block));
    float[][] factors = new float[StochasticDepth.Branch.values().length][ids.size()];
    for (int image = 0; image < byImage.length; image++) {
      for (int branch = 0; branch < factors.length; branch++) {
        factors[branch][image] = byImage[image][branch];
      }
    }
    return factors;
  }
}
