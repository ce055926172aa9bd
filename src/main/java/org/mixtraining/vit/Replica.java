package org.mixtraining.vit;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.layers.BaseLayer;
import org.mixtraining.kernels.Engine;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.vit.layers.ClassHeadLayer;
import org.mixtraining.vit.layers.Compute;
import org.mixtraining.vit.layers.TokenLayer;
import org.mixtraining.vit.optim.AdamWUpdater;
import org.mixtraining.vit.optim.GradientSum;
import org.mixtraining.vit.state.BlockViews;
import org.mixtraining.vit.state.ModelState;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * A ComputationGraph that trains or predicts with the blocks of a {@link ModelState}: it loads the
 * blocks that its layers use, and hands them back with their moments and step counts.
 *
 * <p>What changes by epoch and step it tells the layers by a {@link PassContext} and the updaters
 * directly; configurations stay as they are. Its graph's iteration count is the step within the
 * epoch; how many steps each block has behind it is the {@link AdamWUpdater}s' to know.
 *
 * @param graph a normal Deeplearning4j model, one of {@link ViTGraph}'s
 */
public record Replica(ComputationGraph graph) implements AutoCloseable {

  /** A graph with the initial weights of its configuration's seed. */
  public Replica(ComputationGraphConfiguration configuration) {
    this(new TrainedGraph(configuration.clone()));
    graph.init();
  }

  /** What its training step computes. */
  public GraphSpec spec() {
    return GraphSpec.of(graph);
  }

  // --- state -----------------------------------------------------------------------------------

  /** Takes parameters, moments and step counts of the blocks that it uses; {@link #step} is 0. */
  public void load(ModelState state) {
    loadParameters(state);
    GraphSpec spec = spec();
    BlockViews.moments(graph, spec, 0).load(name -> state.block(name).m());
    BlockViews.moments(graph, spec, 1).load(name -> state.block(name).v());
    updaters().forEach(updater -> updater.steps(state.block(updater.block()).steps()));
    step(0);
  }

  /** Takes the parameters only, which is all that inference needs. */
  public void loadParameters(ModelState state) {
    BlockViews.parameters(graph, spec()).load(name -> state.block(name).parameters());
  }

  /** A copy of the parameters of the blocks that it uses. */
  public ModelState parameters() {
    Map<String, ModelState.Block> blocks = new HashMap<>();
    float[] none = {};
    BlockViews.parameters(graph, spec())
        .read()
        .forEach((name, values) -> blocks.put(name, new ModelState.Block(values, none, none, 0)));
    return new ModelState(blocks);
  }

  /** A copy of the blocks that it uses, with the steps taken since they were loaded. */
  public ModelState state() {
    GraphSpec spec = spec();
    Map<String, float[]> m = BlockViews.moments(graph, spec, 0).read();
    Map<String, float[]> v = BlockViews.moments(graph, spec, 1).read();
    Map<String, Long> steps = new HashMap<>();
    updaters().forEach(updater -> steps.put(updater.block(), updater.steps()));
    Map<String, ModelState.Block> blocks = new HashMap<>();
    BlockViews.parameters(graph, spec)
        .read()
        .forEach(
            (name, values) ->
                blocks.put(
                    name, new ModelState.Block(values, m.get(name), v.get(name), steps.get(name))));
    return new ModelState(blocks);
  }

  private Stream<AdamWUpdater> updaters() {
    return graph.getUpdater().getUpdaterBlocks().stream()
        .map(block -> (AdamWUpdater) block.getGradientUpdater());
  }

  private Stream<TokenLayer<?>> layers() {
    return Stream.of(graph.getLayers()).map(layer -> (TokenLayer<?>) layer);
  }

  private PassContext context() {
    return ((TokenLayer<?>) graph.getLayer(0)).context();
  }

  private void context(PassContext context) {
    layers().forEach(layer -> layer.context(context));
  }

  // --- training --------------------------------------------------------------------------------

  /**
   * Sets what an epoch of {@code steps} steps depends on: learning rates, the weights of the two
   * losses, the mask ratio, and the limit of the gradient's norm.
   */
  public void plan(EpochPlan plan, int steps) {
    PlannedLearningRate schedule = PlannedLearningRate.of(plan, steps);
    updaters().forEach(updater -> updater.plan(schedule));
    context(context().with(plan));
    GradientSum.listen(graph, plan);
  }

  /** Sets the share of the patches that are masked in the next minibatch. */
  public void mask(double ratio) {
    context(context().masking(ratio));
  }

  /** Sets which step of the epoch is next, from 0: its learning rate depends on it. */
  public void step(int next) {
    graph.getConfiguration().setIterationCount(next);
  }

  /**
   * Floating-point operations of a training step on one image, by formula.
   *
   * @param head name of its task's head
   * @param imageSize its height and width
   * @param maskRatio share of its patches that are masked
   */
  public double trainingFlops(EpochPlan plan, String head, int imageSize, double maskRatio) {
    return vit()
        .serving(new Served(imageSize, classes(heads(head)), maskRatio))
        .trainingFlops(plan.objective(), plan.input());
  }

  private ViT vit() {
    return context().vit();
  }

  /**
   * One optimizer step on a minibatch of {@link Batch}. Of several heads, only that of its task
   * takes part: the blocks of the others neither move nor count the step.
   *
   * @param minibatch with labels for that head alone
   * @param head its name
   * @param ids of the images
   */
  public StepResult fit(MultiDataSet minibatch, String head, long[] ids) {
    Optional<GradientSum> sum = GradientSum.of(graph);
    List<Part> parts = Part.of(minibatch, ids, sum.map(GradientSum::parts).orElse(1));
    List<Head> all = heads().stream().flatMap(layer -> layer.layerConf().tasks().stream()).toList();
    PassContext whole = context();
    StepResult result = StepResult.NONE;
    try (Engine.Held held = holdWeights()) {
      for (Part part : parts) {
        context(whole.weighing(part));
        int size = (int) minibatch.getFeatures(0).size(2);
        List<ClassHeadLayer> heads = prepare(size, head, part.ids());
        MultiDataSet arrays =
            all.size() > 1 ? Batch.among(all, head, part.arrays()) : part.arrays();
        if (part.last()) {
          graph.fit(arrays);
        } else {
          sum.orElseThrow().keep(graph, arrays);
        }
        result = result.plus(StepResult.of(graph, heads), part);
      }
    }
    context(whole);
    return result;
  }

  /** For a pass through the graph; the optimizer changes them only after it. */
  private Engine.Held holdWeights() {
    return Compute.current().engine().hold(Matrix.of(graph.params()));
  }

  /** Sets the layers to a minibatch; returns the head of its task, if there is one. */
  public List<ClassHeadLayer> prepare(int imageSize, String head, long[] ids) {
    List<ClassHeadLayer> heads = heads(head);
    if (heads().size() > 1) {
      updaters().forEach(u -> u.rest(ViTGraph.isHead(u.block()) && !u.block().equals(head)));
    }
    context(context().serving(imageSize, classes(heads)).on(ids));
    return heads;
  }

  /** The head of a task, if there is one. */
  private List<ClassHeadLayer> heads(String name) {
    List<ClassHeadLayer> all = heads();
    return all.size() == 1 ? all : all.stream().filter(head -> name(head).equals(name)).toList();
  }

  private List<ClassHeadLayer> heads() {
    return layers()
        .filter(ClassHeadLayer.class::isInstance)
        .map(ClassHeadLayer.class::cast)
        .toList();
  }

  private static String name(ClassHeadLayer head) {
    return head.layerConf().getLayerName();
  }

  /** Sets the model to images of a size, and to the task of the one head, if there is one. */
  private void serve(int imageSize, List<ClassHeadLayer> heads) {
    context(context().serving(imageSize, classes(heads)));
  }

  private int classes(List<ClassHeadLayer> heads) {
    return heads.isEmpty() ? vit().served().classes() : heads.get(0).layerConf().classes();
  }

  // --- inference -------------------------------------------------------------------------------

  /**
   * Class probabilities by an SL graph with a single head.
   *
   * @param pixels [images, channels, height, width], normalised
   * @return [images, classes], row-major
   */
  public float[] predict(float[] pixels, int images) {
    return predict(name(heads().get(0)), pixels, images, vit().served().imageSize());
  }

  /**
   * Class probabilities by one head of an SL graph.
   *
   * @param pixels [images, channels, size, size], normalised; one channel may stand for all
   * @param size height and width of the images
   * @return [images, classes], row-major
   */
  public float[] predict(String head, float[] pixels, int images, int size) {
    serve(size, heads());
    try (Engine.Held held = holdWeights()) {
      INDArray[] output = graph.output(Batch.images(vit(), pixels, images));
      return output[graph.getConfiguration().getNetworkOutputs().indexOf(head)].data().asFloat();
    }
  }

  /**
   * What the heads of an SL graph are given of each image: its pooled tokens.
   *
   * @param pixels [images, channels, size, size], normalised; one channel may stand for all
   * @param size height and width of the images
   * @return [images, dim], row-major
   */
  public float[] features(float[] pixels, int images, int size) {
    ClassHeadLayer head = heads().get(0);
    predict(name(head), pixels, images, size);
    return head.features(images).read();
  }

  /**
   * What an SSL or a JOINT graph predicts of images that it sees a part of.
   *
   * @param pixels [images, channels, size, size], normalised; one channel may stand for all
   * @param mask [images, patches], 1 at each visible patch
   * @param size height and width of the images
   * @return [images, 1 + patches, patchValues], row-major: the rows of class tokens mean nothing
   */
  public float[] patches(float[] pixels, float[] mask, int images, int size) {
    serve(size, heads());
    MultiDataSet minibatch =
        Batch.of(images, size, Batch.colours(vit(), pixels, images), mask, new float[0], true);
    try (Engine.Held held = holdWeights()) {
      INDArray[] output =
          graph.output(false, minibatch.getFeatures(), minibatch.getFeaturesMaskArrays());
      int own = graph.getConfiguration().getNetworkOutputs().indexOf(ViTGraph.PIXELS);
      return output[own].data().asFloat();
    }
  }

  @Override
  public void close() {
    layers().forEach(BaseLayer::close);
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
