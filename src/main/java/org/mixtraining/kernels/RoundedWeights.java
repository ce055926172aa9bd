package org.mixtraining.kernels;

import java.util.Optional;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;

/**
 * Weights rounded to bfloat16 once, for all products until they are released: a step reads each
 * weight in several pieces of work, forward and backward.
 */
final class RoundedWeights {
  private static final int BYTES = Short.BYTES;

  private Matrix memory = Matrix.allocate(1, 1);
  private long begin;
  private long end;

  /** Makes room for those of [1, n] weights, all of which {@link #round} has to fill. */
  void hold(Matrix weights) {
    int floats = (weights.cols() + 1) / 2;
    if (memory.cols() < floats) {
      memory.close();
      memory = Matrix.allocate(1, floats);
    }
    begin = weights.pointer().address();
    end = begin + (long) weights.cols() * Float.BYTES;
  }

  /** Rounds a part of the weights that are held. */
  void round(Matrix part) {
    OneDnn.round(part, of(part).orElseThrow());
  }

  /** Products round for themselves again. */
  void release() {
    begin = end;
  }

  /** Where a matrix lies rounded, row by row, if it is one of the weights. */
  Optional<Pointer> of(Matrix matrix) {
    long first = matrix.pointer().address();
    boolean dense = matrix.rows() == 1 || matrix.stride() == matrix.cols();
    return begin <= first && first < end && dense
        ? Optional.of(
            new BytePointer(memory.pointer()).position((first - begin) / Float.BYTES * BYTES))
        : Optional.empty();
  }
}
