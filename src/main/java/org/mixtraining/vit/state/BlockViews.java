package org.mixtraining.vit.state;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.updater.UpdaterBlock;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.vit.ViTGraph;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Where a graph keeps one kind of the values of its {@link ModelState} blocks, piece by piece. */
public final class BlockViews {

  /** Some of a block's values: those from index {@code at}. */
  private record Place(String block, int at, Matrix values) {}

  private final List<Place> places = new ArrayList<>();
  private final Map<String, Integer> sizes = new HashMap<>();

  public static BlockViews parameters(ComputationGraph graph) {
    BlockViews places = new BlockViews();
    for (var layer : graph.getLayers()) {
      places.add(layer.conf().getLayer().getLayerName(), flat(layer.params()));
    }
    return places;
  }

  /**
   * First (0) or second (1) moments; an updater's state is all of the one, then all of the other.
   */
  public static BlockViews moments(ComputationGraph graph, int which) {
    BlockViews places = new BlockViews();
    for (UpdaterBlock updater : graph.getUpdater().getUpdaterBlocks()) {
      Matrix moments = flat(updater.getUpdaterView());
      int start = updater.getParamOffsetStart();
      int offset = which * (updater.getParamOffsetEnd() - start) - start;
      for (UpdaterBlock.ParamState p : updater.getLayersAndVariablesInBlock()) {
        int from = p.getParamOffsetStart();
        Matrix values = moments.slice(offset + from, 1, p.getParamOffsetEnd() - from);
        places.add(p.getLayer().getConfig().getLayerName(), values);
      }
    }
    return places;
  }

  private static Matrix flat(INDArray array) {
    return Matrix.of(array.reshape(array.length()));
  }

  /** Adds the next values of the layer's block. */
  private void add(String layer, Matrix values) {
    String block = ViTGraph.block(layer);
    int at = sizes.merge(block, values.cols(), Integer::sum) - values.cols();
    places.add(new Place(block, at, values));
  }

  public void load(Function<String, float[]> block) {
    places.forEach(place -> place.values.write(block.apply(place.block), place.at));
  }

  public Map<String, float[]> read() {
    Map<String, float[]> blocks = new HashMap<>();
    sizes.forEach((block, size) -> blocks.put(block, new float[size]));
    places.forEach(place -> place.values.read(blocks.get(place.block), place.at));
    return blocks;
  }
}
