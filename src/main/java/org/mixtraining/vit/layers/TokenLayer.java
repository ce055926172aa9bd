package org.mixtraining.vit.layers;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.BaseLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.mixtraining.kernels.Kernels;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.vit.PassContext;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTLayer;
import org.mixtraining.vit.layers.PackedParameters.Place;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Base class of a ViT's layers: named views of packed parameters and gradients, memory for what the
 * backward pass needs, and work cut into chunks of images over the engine's threads.
 */
public abstract class TokenLayer<C extends ViTLayer> extends BaseLayer<C> {
  private static final long serialVersionUID = 1L;

  private transient Map<String, Matrix> parameterViews = new HashMap<>();
  private transient Map<String, Matrix> gradientViewsByName = new HashMap<>();
  private transient PassContext context;
  private final transient Map<String, Place> places;

  TokenLayer(NeuralNetConfiguration conf, DataType dataType) {
    super(conf, dataType);
    ViTLayer layer = (ViTLayer) conf.getLayer();
    context = PassContext.of(layer.vit());
    places = PackedParameters.places(layer.parameters());
  }

  public PassContext context() {
    return context;
  }

  /** Sets what the next passes depend on. */
  public void context(PassContext context) {
    this.context = context;
  }

  ViT vit() {
    return context.vit();
  }

  /** The calling thread's: for work outside of {@link #forEach}. */
  static Kernels kernels() {
    return Compute.current().engine().kernels();
  }

  // --- parameters ------------------------------------------------------------------------------

  /** A parameter by name, shaped as its tensor says. */
  public Matrix parameter(String name) {
    return parameterViews.get(name);
  }

  /** The gradient of a parameter, to be overwritten by the backward pass. */
  public Matrix gradient(String name) {
    return gradientViewsByName.get(name);
  }

  @Override
  public void setParamTable(Map<String, INDArray> paramTable) {
    super.setParamTable(paramTable);
    parameterViews = views(paramTable);
  }

  @Override
  public void setBackpropGradientsViewArray(INDArray gradients) {
    super.setBackpropGradientsViewArray(gradients);
    gradientViewsByName = views(gradientViews);
  }

  private Map<String, Matrix> views(Map<String, INDArray> packed) {
    Map<String, Matrix> views = new HashMap<>();
    places.forEach((name, place) -> views.put(name, place.in(Matrix.of(packed.get(place.key())))));
    return views;
  }

  /** Room for the gradients that each of several pieces of work has a share of. */
  PartialGradients partialGradients(int pieces) {
    return new PartialGradients(places, gradientViews, pieces);
  }

  /** Both packed gradients, as Deeplearning4j wants them after a backward pass. */
  Gradient gradients() {
    Gradient gradient = new DefaultGradient();
    gradientViews.forEach((key, view) -> gradient.gradientForVariable().put(key, view));
    return gradient;
  }

  // --- memory ----------------------------------------------------------------------------------

  /** Memory of this layer that lasts from the forward to the backward pass. */
  Matrix save(String name, int rows, int cols) {
    return Compute.current().save(layerConf().getLayerName() + "." + name, rows, cols);
  }

  /** Memory that any layer may overwrite. */
  static Matrix scratch(String name, int rows, int cols) {
    return Compute.current().scratch(name, rows, cols);
  }

  /** An array of the graph's own memory for this layer's output. */
  static INDArray output(LayerWorkspaceMgr workspaces, int rows, int cols) {
    return workspaces.createUninitialized(
        ArrayType.ACTIVATIONS, DataType.FLOAT, new long[] {rows, cols}, 'c');
  }

  /** An array of the graph's own memory for the gradient by this layer's input. */
  static INDArray inputGradient(LayerWorkspaceMgr workspaces, int rows, int cols) {
    return workspaces.createUninitialized(
        ArrayType.ACTIVATION_GRAD, DataType.FLOAT, new long[] {rows, cols}, 'c');
  }

  /** A view of an array that may come strided or in 'f' order from outside our layers. */
  static Matrix view(INDArray array) {
    return Matrix.of(rowMajor(array) ? array : array.dup('c'));
  }

  private static boolean rowMajor(INDArray array) {
    long expected = 1;
    for (int i = array.rank() - 1; i >= 0; i--) {
      if (array.size(i) != 1 && array.stride(i) != expected) {
        return false;
      }
      expected *= array.size(i);
    }
    return true;
  }

  // --- work ------------------------------------------------------------------------------------

  /**
   * A thread of the engine at work. These threads have no {@link Compute} of their own, so work is
   * handed what it needs of it.
   */
  record Worker(Compute compute, int thread) {
    Kernels kernels() {
      return compute.engine().kernels();
    }

    /** Memory that this thread's next piece of work may overwrite. */
    Matrix scratch(String name, int rows, int cols) {
      return compute.scratch(name + "@" + thread, rows, cols);
    }
  }

  /** Runs the body for each piece of work on the engine's threads. */
  static <T> void forEach(List<T> work, BiConsumer<Worker, T> body) {
    Compute compute = Compute.current();
    compute
        .engine()
        .parallel(
            work.size(), (thread, i) -> body.accept(new Worker(compute, thread), work.get(i)));
  }

  /** Images that are one piece of work. */
  record Span(int index, int from, int to) {

    /** All images, in pieces that depend on their number and size only. */
    static List<Span> of(int images, int tokens) {
      int pieces = TokenLayout.pieces(images, tokens);
      return IntStream.range(0, pieces)
          .mapToObj(i -> new Span(i, images * i / pieces, images * (i + 1) / pieces))
          .toList();
    }

    /** Their rows of a matrix with so many rows an image. */
    Matrix rows(Matrix all, int each) {
      return all.rows(from * each, to * each);
    }
  }

  // --- what Deeplearning4j asks of a layer -----------------------------------------------------

  @Override
  public abstract INDArray activate(boolean training, LayerWorkspaceMgr workspaces);

  @Override
  public abstract Pair<Gradient, INDArray> backpropGradient(
      INDArray epsilon, LayerWorkspaceMgr workspaces);

  @Override
  public boolean isPretrainLayer() {
    return false;
  }

  @Override
  public void close() {
    // What a layer saves belongs to Compute.
  }
}
