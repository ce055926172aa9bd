package org.mixtraining.vit;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.updater.UpdaterBlock;
import org.mixtraining.kernels.Mat;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Where a graph keeps one kind of the values of its {@link ModelState} blocks, piece by piece. */
final class Places {

  /** Some of a block's values: those from index {@code at}. */
  private record Place(String block, int at, Mat values) {}

  private final List<Place> places = new ArrayList<>();
  private final Map<String, Integer> sizes = new HashMap<>();

  static Places parameters(ComputationGraph graph) {
    Places places = new Places();
    for (var layer : graph.getLayers()) {
      places.add(layer.conf().getLayer().getLayerName(), flat(layer.params()));
    }
    return places;
  }

  /**
   * First (0) or second (1) moments; an updater's state is all of the one, then all of the other.
   */
  static Places moments(ComputationGraph graph, int which) {
    Places places = new Places();
    for (UpdaterBlock updater : graph.getUpdater().getUpdaterBlocks()) {
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

  /** Adds the next values of the layer's block. */
  private void add(String layer, Mat values) {
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
