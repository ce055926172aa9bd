package org.mixtraining.spark.exchange;

import java.io.Serializable;
import java.nio.ByteBuffer;
import java.util.List;
import org.mixtraining.config.OptimizerConfig.Betas;
import org.mixtraining.run.RangeAverage;
import org.mixtraining.run.RoundAverage;
import org.mixtraining.run.WorkerResult;
import org.mixtraining.spark.exchange.SliceLayout.Piece;
import org.mixtraining.vit.state.ModelState;

/**
 * The average of the workers' states, a slice at a time: the bits of {@link RoundAverage}.
 *
 * @param reports of all workers, in worker order
 * @param steps step counts that they began the round with
 * @param betas of the round's objective
 */
record SliceAverage(SliceLayout layout, List<WorkerResult> reports, ModelState steps, Betas betas)
    implements Serializable {

  /** Values that are averaged at a time: their sums stay in the core's own cache. */
  private static final int STRETCH = 1 << 10;

  /**
   * The mean of a slice.
   *
   * @param own that slice of each worker
   * @param before the state they began with, read only if it has a block that nobody trained
   */
  ByteBuffer of(int slice, List<ByteBuffer> own, StateExchange.Reader before) {
    ByteBuffer mean = layout.empty(slice);
    for (Piece piece : layout.pieces(slice)) {
      List<WorkerResult> trained =
          reports.stream().filter(r -> RoundAverage.images(r, piece.block()) > 0).toList();
      List<ByteBuffer> values = trained.stream().map(r -> own.get(r.worker())).toList();
      switch (values.size()) {
        case 0 -> piece.copy(before.read(), mean);
        case 1 -> piece.copy(values.get(0), mean); // its own values, −0 too
        default -> average(piece, values, trained, mean);
      }
    }
    return mean;
  }

  private void average(
      Piece piece, List<ByteBuffer> values, List<WorkerResult> trained, ByteBuffer mean) {
    double[] weights = RoundAverage.weights(trained, piece.block());
    double noise = RoundAverage.noise(reports, steps, piece.block(), betas);
    float[][] stretch = new float[Piece.ARRAYS][STRETCH];
    for (int from = 0; from < piece.length(); from += STRETCH) {
      int length = Math.min(STRETCH, piece.length() - from);
      RangeAverage range = new RangeAverage(length, weights.length, noise);
      for (int w = 0; w < weights.length; w++) {
        for (int array = 0; array < Piece.ARRAYS; array++) {
          piece.in(values.get(w), array).get(from, stretch[array], 0, length);
        }
        range.add(weights[w], stretch[0], stretch[1], stretch[2], 0);
      }
      range.write(stretch[0], stretch[1], stretch[2], 0);
      for (int array = 0; array < Piece.ARRAYS; array++) {
        piece.in(mean, array).put(from, stretch[array], 0, length);
      }
    }
  }
}
