package org.mixtraining.vit.layers;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.deeplearning4j.nn.api.ParamInitializer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.schedule.Seed;
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
  static Map<String, Place> places(Layer layer) {
    Map<String, Place> places = new LinkedHashMap<>();
    Map<String, Integer> sizes = new HashMap<>();
    for (Tensor tensor : tensors(layer)) {
      int end = sizes.merge(key(tensor), tensor.size(), Integer::sum);
      places.put(tensor.name(), new Place(key(tensor), end - tensor.size(), tensor));
    }
    return places;
  }

  private static String key(Tensor tensor) {
    return tensor.decays() ? WEIGHTS : VECTORS;
  }

  private static List<Tensor> tensors(Layer layer) {
    return ((ViTLayer) layer).tensors();
  }

  private static long size(Layer layer, String key) {
    return tensors(layer).stream().filter(t -> key(t).equals(key)).mapToLong(Tensor::size).sum();
  }

  @Override
  public long numParams(NeuralNetConfiguration conf) {
    return numParams(conf.getLayer());
  }

  @Override
  public long numParams(Layer layer) {
    return tensors(layer).stream().mapToLong(Tensor::size).sum();
  }

  @Override
  public List<String> paramKeys(Layer layer) {
    return size(layer, WEIGHTS) == 0 ? List.of(VECTORS) : List.of(WEIGHTS, VECTORS);
  }

  @Override
  public List<String> weightKeys(Layer layer) {
    return size(layer, WEIGHTS) == 0 ? List.of() : List.of(WEIGHTS);
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
    Map<String, INDArray> views = split(layer, paramsView);
    if (initializeParams) {
      for (var view : views.entrySet()) {
        view.getValue().assign(Nd4j.createFromArray(initial(conf, view.getKey())));
      }
    }
    return views;
  }

  private static float[] initial(NeuralNetConfiguration conf, String key) {
    ViTLayer layer = (ViTLayer) conf.getLayer();
    float[] values = new float[(int) size(layer, key)];
    int at = 0;
    for (Tensor tensor : layer.tensors()) {
      if (key(tensor).equals(key)) {
        String path = layer.getLayerName() + "." + tensor.name();
        SplittableRandom random = Seed.WEIGHTS.at(conf.getSeed(), path.hashCode());
        System.arraycopy(tensor.initial(random), 0, values, at, tensor.size());
        at += tensor.size();
      }
    }
    return values;
  }

  @Override
  public Map<String, INDArray> getGradientsFromFlattened(
      NeuralNetConfiguration conf, INDArray gradientView) {
    return split(conf.getLayer(), gradientView);
  }

  private Map<String, INDArray> split(Layer layer, INDArray view) {
    INDArray flat = view.reshape(view.length());
    Map<String, INDArray> parts = new LinkedHashMap<>();
    long from = 0;
    for (String key : paramKeys(layer)) {
      long to = from + size(layer, key);
      parts.put(key, flat.get(NDArrayIndex.interval(from, to)));
      from = to;
    }
    return parts;
  }
}
