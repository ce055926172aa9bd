package org.mixtraining.vit.layers;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.vit.layers.PackedParameters.Place;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The gradients of a layer's parameters, a share for each piece of work, which is still in the
 * caches when its share is computed. The shares are summed in the order of the pieces, so that bits
 * depend neither on the number of threads nor on their timing.
 */
final class PartialGradients {
  /** Floats of a gradient that one task sums. */
  private static final int SLICE = 1 << 14;

  private final Map<String, Place> places;
  private final Map<String, INDArray> gradients;
  private final Map<String, Matrix> shares = new HashMap<>();
  private final boolean only;

  /**
   * @param gradients the packed gradients that {@link #sum} overwrites
   */
  PartialGradients(Map<String, Place> places, Map<String, INDArray> gradients, int pieces) {
    this.places = places;
    this.gradients = gradients;
    this.only = pieces == 1;
    gradients.forEach((key, gradient) -> shares.put(key, shares(key, gradient, pieces)));
  }

  /** Room for every piece; a single one has the whole gradient. */
  private Matrix shares(String key, INDArray gradient, int pieces) {
    int length = (int) gradient.length();
    return only
        ? Matrix.of(gradient).slice(0, 1, length)
        : TokenLayer.scratch("partial." + key, pieces, length);
  }

  /** A piece's share of the gradient of a parameter, to be overwritten. */
  Matrix of(int piece, String name) {
    Place place = places.get(name);
    return place.in(shares.get(place.key()).rows(piece, piece + 1));
  }

  void sum() {
    if (only) {
      return;
    }
    gradients.forEach((key, gradient) -> sum(shares.get(key), Matrix.of(gradient)));
  }

  private static void sum(Matrix shares, Matrix gradient) {
    List<Integer> starts =
        IntStream.iterate(0, from -> from < gradient.cols(), from -> from + SLICE).boxed().toList();
    TokenLayer.forEach(
        starts,
        (worker, from) -> {
          int to = Math.min(from + SLICE, gradient.cols());
          worker.kernels().columnSum(shares.cols(from, to), gradient.cols(from, to));
        });
  }
}
