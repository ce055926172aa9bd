package org.mixtraining.spark;

import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import org.mixtraining.run.EpochAverage;
import org.mixtraining.run.WorkerResult;

/**
 * The average of the workers' states, a slice at a time: the bits of {@link EpochAverage}.
 *
 * @param reports of all workers, in worker order
 */
record SliceAverage(SliceLayout layout, List<WorkerResult> reports) implements Serializable {

  /** Values that are summed at a time: their sums stay in the core's nearest cache. */
  private static final int STRETCH = 1 << 11;

  /**
   * The mean of a slice.
   *
   * @param own that slice of each worker
   * @param before the state they began with, read only if it has a block that nobody trained
   */
  ByteBuffer of(int slice, List<ByteBuffer> own, StateExchange.Reader before) {
    ByteBuffer mean = layout.empty(slice);
    for (SliceLayout.Piece piece : layout.pieces(slice)) {
      List<WorkerResult> trained =
          reports.stream().filter(r -> EpochAverage.images(r, piece.block()) > 0).toList();
      List<FloatBuffer> values = trained.stream().map(r -> piece.in(own.get(r.worker()))).toList();
      FloatBuffer to = piece.in(mean);
      switch (values.size()) {
        case 0 -> piece.copy(before.read(), mean);
        case 1 -> to.put(values.get(0)); // its own values, −0 too
        default -> mean(values, EpochAverage.weights(trained, piece.block()), to);
      }
    }
    return mean;
  }

  private static void mean(List<FloatBuffer> values, double[] weights, FloatBuffer to) {
    double[] sums = new double[STRETCH];
    float[] stretch = new float[STRETCH];
    while (to.hasRemaining()) {
      int length = Math.min(STRETCH, to.remaining());
      Arrays.fill(sums, 0);
      for (int w = 0; w < weights.length; w++) {
        values.get(w).get(stretch, 0, length);
        add(weights[w], stretch, sums);
      }
      for (int i = 0; i < STRETCH; i++) {
        stretch[i] = (float) sums[i];
      }
      to.put(stretch, 0, length);
    }
  }

  private static void add(double weight, float[] values, double[] sums) {
    for (int i = 0; i < STRETCH; i++) {
      sums[i] += weight * values[i];
    }
  }
}
