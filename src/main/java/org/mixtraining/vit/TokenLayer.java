package org.mixtraining.vit;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.BaseLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.mixtraining.kernels.Engine;
import org.mixtraining.kernels.Kernels;
import org.mixtraining.kernels.Mat;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What the layers of a ViT have in common: named views of packed parameters and gradients, memory
 * for what the backward pass needs, and work cut into chunks of images over the engine's threads.
 */
abstract class TokenLayer<C extends ViTLayer> extends BaseLayer<C> {
  private static final long serialVersionUID = 1L;

  private final transient Map<String, Mat> saved = new HashMap<>();
  private transient Map<String, Mat> parameterViews = new HashMap<>();
  private transient Map<String, Mat> gradientViewsByName = new HashMap<>();

  TokenLayer(NeuralNetConfiguration conf, DataType dataType) {
    super(conf, dataType);
  }

  ViT vit() {
    return layerConf().vit();
  }

  /** The calling thread's: for work outside of {@link #forEach}. */
  static Kernels kernels() {
    return Compute.current().engine().kernels();
  }

  // --- parameters ------------------------------------------------------------------------------

  /** A parameter by name, shaped as its tensor says. */
  Mat parameter(String name) {
    return parameterViews.get(name);
  }

  /** The gradient of a parameter, to be overwritten by the backward pass. */
  Mat gradient(String name) {
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

  private Map<String, Mat> views(Map<String, INDArray> packed) {
    Map<String, Mat> views = new HashMap<>();
    Map<String, Integer> offsets = new HashMap<>();
    for (Tensor tensor : layerConf().tensors()) {
      String key = tensor.decays() ? PackedParameters.WEIGHTS : PackedParameters.VECTORS;
      int at = offsets.merge(key, tensor.size(), Integer::sum) - tensor.size();
      Mat view = Mat.of(packed.get(key)).slice(at, tensor.rows(), tensor.cols());
      views.put(tensor.name(), view);
    }
    return views;
  }

  /** Both packed gradients, as Deeplearning4j wants them after a backward pass. */
  Gradient gradients() {
    Gradient gradient = new DefaultGradient();
    gradientViews.forEach((key, view) -> gradient.gradientForVariable().put(key, view));
    return gradient;
  }

  // --- memory ----------------------------------------------------------------------------------

  /** Memory of this layer that lasts from the forward to the backward pass. */
  Mat save(String name, int rows, int cols) {
    return Compute.reserve(saved, name, rows, cols);
  }

  /** Memory that any layer may overwrite. */
  static Mat scratch(String name, int rows, int cols) {
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
  static Mat view(INDArray array) {
    return Mat.of(rowMajor(array) ? array : array.dup('c'));
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
   * Runs the body for each piece of work on the engine's threads. These have no {@link Compute} of
   * their own, so the body is handed the kernels.
   */
  static <T> void forEach(List<T> work, BiConsumer<Kernels, T> body) {
    Engine engine = Compute.current().engine();
    engine.parallel(work.size(), i -> body.accept(engine.kernels(), work.get(i)));
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
    saved.values().forEach(Mat::close);
    saved.clear();
  }
}
