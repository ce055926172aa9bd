package org.mixtraining.vit.layers;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.ParamInitializer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.vit.ModelSpec;
import org.mixtraining.vit.Tensor;
import org.mixtraining.vit.ViTLayer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Packs all weight matrices of a layer into one Deeplearning4j parameter, {@code W}, and all its
 * vectors into another, {@code b}. The updater works parameter by parameter, and twelve small ones
 * a block cost it more time than the arithmetic.
 *
 * <p>Initial values depend on the configuration's seed and the layer's name only: an encoder begins
 * with the same weights whatever graph it is part of.
 */
public final class PackedParameters implements ParamInitializer {

  public static final String WEIGHTS = "W";
  static final String VECTORS = "b";
  public static final PackedParameters INSTANCE = new PackedParameters();

  private PackedParameters() {}

  /** Where a tensor lies in its packed parameter: which one, and from which float on. */
  record Place(String key, int at, Tensor tensor) {
    /** The tensor in a row of packed floats. */
    Matrix in(Matrix packed) {
      return packed.slice(at, tensor.rows(), tensor.cols());
    }
  }

  /** The places of a layer's tensors by name. */
  static Map<String, Place> places(ModelSpec.Layer layer) {
    Map<String, Place> places = new HashMap<>();
    for (Tensor tensor : layer.tensors()) {
      int at = tensor.at() - layer.at();
      places.put(
          tensor.name(),
          tensor.decays()
              ? new Place(WEIGHTS, at, tensor)
              : new Place(VECTORS, at - layer.weights(), tensor));
    }
    return places;
  }

  private static ModelSpec.Layer parameters(Layer layer) {
    return ((ViTLayer) layer).parameters();
  }

  @Override
  public long numParams(NeuralNetConfiguration conf) {
    return numParams(conf.getLayer());
  }

  @Override
  public long numParams(Layer layer) {
    return parameters(layer).size();
  }

  @Override
  public List<String> paramKeys(Layer layer) {
    return parameters(layer).weights() == 0 ? List.of(VECTORS) : List.of(WEIGHTS, VECTORS);
  }

  @Override
  public List<String> weightKeys(Layer layer) {
    return parameters(layer).weights() == 0 ? List.of() : List.of(WEIGHTS);
  }

  @Override
  public List<String> biasKeys(Layer layer) {
    return List.of(VECTORS);
  }

  @Override
  public boolean isWeightParam(Layer layer, String key) {
    return key.equals(WEIGHTS);
  }

  @Override
  public boolean isBiasParam(Layer layer, String key) {
    return key.equals(VECTORS);
  }

  @Override
  public Map<String, INDArray> init(
      NeuralNetConfiguration conf, INDArray paramsView, boolean initializeParams) {
    Layer layer = conf.getLayer();
    paramKeys(layer).forEach(conf::addVariable);
    if (initializeParams) {
      float[] values = parameters(layer).initial(conf.getSeed());
      paramsView.assign(Nd4j.createFromArray(values).reshape(paramsView.shape()));
    }
    return split(layer, paramsView);
  }

  @Override
  public Map<String, INDArray> getGradientsFromFlattened(
      NeuralNetConfiguration conf, INDArray gradientView) {
    return split(conf.getLayer(), gradientView);
  }

  private static Map<String, INDArray> split(Layer layer, INDArray view) {
    INDArray flat = view.reshape(view.length());
    int weights = parameters(layer).weights();
    Map<String, INDArray> parts = new LinkedHashMap<>();
    if (weights > 0) {
      parts.put(WEIGHTS, flat.get(NDArrayIndex.interval(0, weights)));
    }
    parts.put(VECTORS, flat.get(NDArrayIndex.interval(weights, view.length())));
    return parts;
  }
}
