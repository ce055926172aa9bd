package org.mixtraining.vit;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.Objective;
import org.mixtraining.vit.layers.StochasticDepth;
import org.nd4j.linalg.learning.regularization.WeightDecay;

/**
 * Description of the training step that a {@link Replica}'s graph computes, for other executors of
 * it.
 *
 * @param model with heads for the graph's tasks: none in SSL; size of images, classes and share of
 *     masked patches are the minibatch's and the plan's to say
 * @param encoderInput what the encoder sees
 * @param updaters by layer
 * @param decay weight decay of matrices
 * @param seed what stochastic depth is drawn from
 */
public record GraphSpec(
    ModelSpec model,
    Objective objective,
    EncoderInput encoderInput,
    Map<String, AdamW> updaters,
    double decay,
    long seed) {

  /** That of one of {@link ViTGraph}'s graphs. */
  static GraphSpec of(ComputationGraph graph) {
    List<Head> heads = new ArrayList<>();
    Map<String, AdamW> updaters = new HashMap<>();
    for (var layer : graph.getLayers()) {
      ViTLayer conf = (ViTLayer) layer.conf().getLayer();
      heads.addAll(conf.tasks());
      updaters.put(conf.getLayerName(), (AdamW) conf.getIUpdater());
    }
    boolean reconstructs = graph.getConfiguration().getNetworkOutputs().contains(ViTGraph.PIXELS);
    var first = graph.getLayer(0).conf();
    ViTLayer conf = (ViTLayer) first.getLayer();
    return new GraphSpec(
        ModelSpec.of(conf.vit(), heads),
        heads.isEmpty() ? Objective.SSL : reconstructs ? Objective.JOINT : Objective.SL,
        conf.encoderInput(),
        Map.copyOf(updaters),
        ((WeightDecay) conf.getRegularization().get(0)).getCoeff().valueAt(0, 0),
        first.getSeed());
  }

  public ViT vit() {
    return model.vit();
  }

  public List<Head> heads() {
    return model.heads();
  }

  /** The graph's layers with their tensors. */
  public List<ModelSpec.Layer> layers() {
    return model.layers(objective, encoderInput);
  }

  /** Whether patches are masked. */
  public boolean masks() {
    return encoderInput != EncoderInput.FULL;
  }

  /** Factor on the learning rate of a layer. */
  public double rateScale(String layer) {
    return updaters.get(layer).scale();
  }

  /** AdamW's decay rate of the first moments. */
  public double beta1() {
    return updaters.get(ViTGraph.PATCH_EMBEDDING).beta1();
  }

  /** AdamW's decay rate of the second moments. */
  public double beta2() {
    return updaters.get(ViTGraph.PATCH_EMBEDDING).beta2();
  }

  /** The rate with which images skip the branches of an encoder block: {@link StochasticDepth}. */
  public double dropRate(int block) {
    return StochasticDepth.rate(vit().architecture(), objective, block);
  }

  /**
   * Factors on the two branches of an encoder block, of each image of a step.
   *
   * @return [branches][images]
   */
  public float[][] dropFactors(int block, int epoch, long[] ids) {
    float[][] byImage =
        StochasticDepth.factors(seed, epoch, ids, ViTGraph.encoder(block), dropRate(block));
    float[][] factors = new float[StochasticDepth.Branch.values().length][ids.length];
    for (int image = 0; image < byImage.length; image++) {
      for (int branch = 0; branch < factors.length; branch++) {
        factors[branch][image] = byImage[image][branch];
      }
    }
    return factors;
  }
}
