package org.mixtraining.vit;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.layers.BaseLayer;
import org.deeplearning4j.nn.updater.UpdaterBlock;
import org.mixtraining.kernels.Mat;
import org.mixtraining.schedule.EpochPlan;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * A ComputationGraph that trains or predicts with the blocks of a {@link ModelState}: it loads the
 * blocks that its layers use, and hands them back with their moments and step counts.
 *
 * <p>Its graph's iteration count is the step within the epoch; how many steps each block has behind
 * it is the {@link AdamW} updaters' to know.
 */
public final class Replica implements AutoCloseable {

  private final ComputationGraph graph;

  /** A graph with the initial weights of its configuration's seed. */
  public Replica(ComputationGraphConfiguration configuration) {
    this(new ComputationGraph(configuration.clone()));
    graph.init();
  }

  /** A view of an existing graph, which must be one of {@link ViTGraph}'s. */
  public Replica(ComputationGraph graph) {
    this.graph = graph;
  }

  /** The graph itself: a normal Deeplearning4j model. */
  public ComputationGraph graph() {
    return graph;
  }

  // --- state -----------------------------------------------------------------------------------

  /** One layer's parameter in the graph's flat arrays, and in its block. */
  private record Place(String block, int at, Mat parameters, Mat m, Mat v) {}

  private List<Place> places() {
    Mat parameters = flat(graph.params());
    List<Place> places = new ArrayList<>();
    Map<String, Integer> ends = new HashMap<>();
    for (UpdaterBlock updater : updaterBlocks()) {
      Mat moments = flat(updater.getUpdaterView());
      int start = updater.getParamOffsetStart();
      int total = updater.getParamOffsetEnd() - start;
      for (UpdaterBlock.ParamState p : updater.getLayersAndVariablesInBlock()) {
        String block = ViTGraph.block(p.getLayer().getConfig().getLayerName());
        int from = p.getParamOffsetStart();
        int size = p.getParamOffsetEnd() - from;
        int at = ends.merge(block, size, Integer::sum) - size;
        places.add(
            new Place(
                block,
                at,
                parameters.slice(from, 1, size),
                moments.slice(from - start, 1, size),
                moments.slice(total + from - start, 1, size)));
      }
    }
    return places;
  }

  private static Mat flat(INDArray array) {
    return Mat.of(array.reshape(array.length()));
  }

  private List<UpdaterBlock> updaterBlocks() {
    return graph.getUpdater().getUpdaterBlocks();
  }

  /**
   * Takes parameters, moments and step counts of the blocks that it uses; the next step is an
   * epoch's first.
   */
  public void load(ModelState state) {
    for (Place place : places()) {
      ModelState.Block block = state.block(place.block());
      place.parameters().write(block.parameters(), place.at());
      place.m().write(block.m(), place.at());
      place.v().write(block.v(), place.at());
    }
    for (AdamW updater : updaters()) {
      updater.steps(state.block(updater.block()).steps());
    }
    graph.getConfiguration().setIterationCount(0);
  }

  /** A copy of the blocks that it uses, with the steps taken since they were loaded. */
  public ModelState state() {
    Map<String, Integer> sizes = new HashMap<>();
    List<Place> places = places();
    places.forEach(p -> sizes.merge(p.block(), p.parameters().cols(), Integer::sum));
    Map<String, Long> steps = new HashMap<>();
    updaters().forEach(u -> steps.put(u.block(), u.steps() + graph.getIterationCount()));

    Map<String, ModelState.Block> blocks = new HashMap<>();
    for (Place place : places) {
      String name = place.block();
      int n = sizes.get(name);
      ModelState.Block block =
          blocks.computeIfAbsent(
              name,
              b -> new ModelState.Block(new float[n], new float[n], new float[n], steps.get(b)));
      place.parameters().read(block.parameters(), place.at());
      place.m().read(block.m(), place.at());
      place.v().read(block.v(), place.at());
    }
    return new ModelState(blocks);
  }

  /** The updater configurations of all layers and of the running updaters, which may be copies. */
  private List<AdamW> updaters() {
    List<AdamW> updaters = new ArrayList<>();
    for (var layer : graph.getLayers()) {
      updaters.add((AdamW) ((ViTLayer) layer.conf().getLayer()).getIUpdater());
    }
    for (UpdaterBlock block : updaterBlocks()) {
      updaters.add((AdamW) block.getGradientUpdater().getConfig());
    }
    return updaters;
  }

  // --- training --------------------------------------------------------------------------------

  /**
   * Sets the learning rates of an epoch of {@code steps} steps and the weights of the two losses.
   */
  public void plan(EpochPlan plan, int steps) {
    PlannedLearningRate schedule = PlannedLearningRate.of(plan, steps);
    updaters().forEach(updater -> updater.setLrAndSchedule(Double.NaN, schedule));
    for (var layer : graph.getLayers()) {
      if (layer instanceof PixelReconstructionLayer pixels) {
        pixels.layerConf().weight(plan.alpha());
      } else if (layer instanceof ClassHeadLayer head) {
        head.layerConf().weight(1 - plan.alpha());
      }
    }
  }

  /** One optimizer step on a minibatch of {@link Batch}. */
  public StepResult fit(MultiDataSet minibatch) {
    graph.fit(minibatch);
    return result();
  }

  /**
   * What a step found, before its update.
   *
   * @param loss the weighted sum of the losses
   * @param sslLoss mean squared error over hidden patches; NaN in SL
   * @param slLoss mean cross-entropy over labelled images; NaN in SSL
   * @param correct labelled images whose most probable class was their label's
   * @param labelled images with a label
   */
  public record StepResult(double loss, double sslLoss, double slLoss, int correct, int labelled) {}

  private StepResult result() {
    double ssl = Double.NaN;
    double sl = Double.NaN;
    int correct = 0;
    int labelled = 0;
    for (var layer : graph.getLayers()) {
      if (layer instanceof PixelReconstructionLayer pixels) {
        ssl = pixels.loss();
      } else if (layer instanceof ClassHeadLayer head) {
        sl = head.loss();
        correct = head.correct();
        labelled = head.labelled();
      }
    }
    return new StepResult(graph.score(), ssl, sl, correct, labelled);
  }

  // --- inference -------------------------------------------------------------------------------

  /**
   * Class probabilities by an SL graph.
   *
   * @param pixels [images, channels, height, width], normalised
   * @return [images, classes], row-major
   */
  public float[] predict(float[] pixels, int images) {
    ViT vit = ((ViTLayer) graph.getLayer(0).conf().getLayer()).vit();
    INDArray[] output = graph.output(Batch.images(vit, pixels, images));
    return output[0].data().asFloat();
  }

  @Override
  public void close() {
    for (var layer : graph.getLayers()) {
      ((BaseLayer<?>) layer).close();
    }
    graph.close();
  }
}
