package org.mixtraining.vit;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.layers.BaseLayer;
import org.deeplearning4j.nn.updater.UpdaterBlock;
import org.deeplearning4j.optimize.api.TrainingListener;
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

  /** Some of a block's values: those from index {@code at}, and where the graph keeps them. */
  private record Place(String block, int at, Mat values) {}

  private static final class Places {
    private final List<Place> places = new ArrayList<>();
    private final Map<String, Integer> sizes = new HashMap<>();

    void add(String layer, Mat values) {
      String block = ViTGraph.block(layer);
      int at = sizes.merge(block, values.cols(), Integer::sum) - values.cols();
      places.add(new Place(block, at, values));
    }

    void load(Function<String, float[]> block) {
      places.forEach(place -> place.values.write(block.apply(place.block), place.at));
    }

    Map<String, float[]> read() {
      Map<String, float[]> blocks = new HashMap<>();
      sizes.forEach((block, size) -> blocks.put(block, new float[size]));
      places.forEach(place -> place.values.read(blocks.get(place.block), place.at));
      return blocks;
    }
  }

  private Places parameters() {
    Places places = new Places();
    for (var layer : graph.getLayers()) {
      places.add(layer.conf().getLayer().getLayerName(), flat(layer.params()));
    }
    return places;
  }

  /**
   * First (0) or second (1) moments; an updater's state is all of the one, then all of the other.
   */
  private Places moments(int which) {
    Places places = new Places();
    for (UpdaterBlock updater : updaterBlocks()) {
      Mat moments = flat(updater.getUpdaterView());
      int start = updater.getParamOffsetStart();
      int offset = which * (updater.getParamOffsetEnd() - start) - start;
      for (UpdaterBlock.ParamState p : updater.getLayersAndVariablesInBlock()) {
        int from = p.getParamOffsetStart();
        Mat values = moments.slice(offset + from, 1, p.getParamOffsetEnd() - from);
        places.add(p.getLayer().getConfig().getLayerName(), values);
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
    loadParameters(state);
    moments(0).load(name -> state.block(name).m());
    moments(1).load(name -> state.block(name).v());
    for (AdamW updater : updaters()) {
      updater.steps(state.block(updater.block()).steps());
    }
    graph.getConfiguration().setIterationCount(0);
  }

  /** Takes the parameters only, which is all that inference needs. */
  public void loadParameters(ModelState state) {
    parameters().load(name -> state.block(name).parameters());
  }

  /** A copy of the blocks that it uses, with the steps taken since they were loaded. */
  public ModelState state() {
    Map<String, float[]> m = moments(0).read();
    Map<String, float[]> v = moments(1).read();
    Map<String, Long> steps = new HashMap<>();
    updaters().forEach(u -> steps.put(u.block(), u.steps() + graph.getIterationCount()));
    Map<String, ModelState.Block> blocks = new HashMap<>();
    parameters()
        .read()
        .forEach(
            (name, values) ->
                blocks.put(
                    name, new ModelState.Block(values, m.get(name), v.get(name), steps.get(name))));
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
   * Sets what an epoch of {@code steps} steps depends on: learning rates, the weights of the two
   * losses, the share of hidden patches, and the limit of the gradient's norm.
   */
  public void plan(EpochPlan plan, int steps) {
    PlannedLearningRate schedule = PlannedLearningRate.of(plan, steps);
    updaters().forEach(updater -> updater.setLrAndSchedule(Double.NaN, schedule));
    for (var layer : graph.getLayers()) {
      ViTLayer conf = ((TokenLayer<?>) layer).layerConf();
      conf.vit(conf.vit().masking(plan.maskRatio()));
      if (conf instanceof PixelReconstruction pixels) {
        pixels.weight(plan.alpha());
      } else if (conf instanceof ClassHead head) {
        head.weight(1 - plan.alpha());
      }
    }
    clip(plan.clip());
  }

  private void clip(double greatestNorm) {
    List<TrainingListener> listeners = new ArrayList<>(graph.getListeners());
    listeners.removeIf(GradientClip.class::isInstance);
    if (greatestNorm > 0) {
      listeners.add(new GradientClip(greatestNorm));
    }
    graph.setListeners(listeners);
  }

  /** Floating-point operations of a training step on one image, by formula. */
  public double trainingFlops(EpochPlan plan) {
    return vit().trainingFlops(plan.objective(), Sight.of(plan.objective(), plan.pass()));
  }

  private ViT vit() {
    return ((ViTLayer) graph.getLayer(0).conf().getLayer()).vit();
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
    INDArray[] output = graph.output(Batch.images(vit(), pixels, images));
    return output[0].data().asFloat();
  }

  @Override
  public void close() {
    for (var layer : graph.getLayers()) {
      ((BaseLayer<?>) layer).close();
    }
    // Not by graph.close(), which also has the whole heap collected, twice.
    var updater = graph.getUpdater(false);
    free(graph.params());
    free(graph.getFlattenedGradients());
    free(updater == null ? null : updater.getStateViewArray());
  }

  private static void free(INDArray array) {
    if (array != null && array.closeable()) {
      array.close();
    }
  }
}
