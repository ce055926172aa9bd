package org.mixtraining.vit.state;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.updater.UpdaterBlock;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.vit.GraphSpec;
import org.mixtraining.vit.ModelSpec;
import org.mixtraining.vit.layers.PackedParameters;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Views of one kind of a graph's values by {@link ModelState} block, piece by piece.
 *
 * @param layers of the graph
 */
public record BlockViews(List<Place> places, List<ModelSpec.Layer> layers) {

  /** Some of a block's values: those from index {@code at}. */
  private record Place(String block, int at, Matrix values) {}

  public static BlockViews parameters(ComputationGraph graph, GraphSpec spec) {
    List<Place> places = new ArrayList<>();
    for (ModelSpec.Layer layer : spec.layers()) {
      Matrix values = flat(graph.getLayer(layer.name()).params());
      places.add(new Place(layer.block(), layer.at(), values));
    }
    return new BlockViews(places, spec.layers());
  }

  /**
   * First (0) or second (1) moments; an updater's state begins with all of the one, then has all of
   * the other.
   */
  public static BlockViews moments(ComputationGraph graph, GraphSpec spec, int which) {
    List<Place> places = new ArrayList<>();
    for (UpdaterBlock updater : graph.getUpdater().getUpdaterBlocks()) {
      Matrix moments = flat(updater.getUpdaterView());
      int start = updater.getParamOffsetStart();
      int offset = which * (updater.getParamOffsetEnd() - start) - start;
      for (UpdaterBlock.ParamState p : updater.getLayersAndVariablesInBlock()) {
        int from = p.getParamOffsetStart();
        Matrix values = moments.slice(offset + from, 1, p.getParamOffsetEnd() - from);
        ModelSpec.Layer layer = spec.model().layer(p.getLayer().getConfig().getLayerName());
        boolean weights = p.getParamName().equals(PackedParameters.WEIGHTS);
        places.add(new Place(layer.block(), layer.at() + (weights ? 0 : layer.weights()), values));
      }
    }
    return new BlockViews(places, spec.layers());
  }

  private static Matrix flat(INDArray array) {
    return Matrix.of(array.reshape(array.length()));
  }

  public void load(Function<String, float[]> block) {
    places.forEach(place -> place.values.write(block.apply(place.block), place.at));
  }

  public Map<String, float[]> read() {
    Map<String, float[]> blocks = ModelSpec.zeros(layers);
    places.forEach(place -> place.values.read(blocks.get(place.block), place.at));
    return blocks;
  }
}
