package org.mixtraining.kernels;

import static org.assertj.core.api.Assertions.fail;

import java.util.ArrayList;
import java.util.List;

/** Matrices that lie inside larger ones of NaN, and the proof that these still are NaN. */
final class Frames implements AutoCloseable {
  private static final int MARGIN = 3;

  private final List<Matrix> frames = new ArrayList<>();

  /** A matrix of NaN inside a frame; a vector's frame leaves its stride as wide as itself. */
  Matrix frame(int rows, int cols) {
    Matrix frame = Matrix.allocate(rows + 2 * MARGIN, cols + 2 * MARGIN);
    frame.fill(Float.NaN);
    frames.add(frame);
    return inside(frame);
  }

  private static Matrix inside(Matrix frame) {
    return frame.rows(MARGIN, frame.rows() - MARGIN).cols(MARGIN, frame.cols() - MARGIN);
  }

  void assertIntact() {
    for (Matrix frame : frames) {
      inside(frame).fill(Float.NaN);
      for (int r = 0; r < frame.rows(); r++) {
        for (int c = 0; c < frame.cols(); c++) {
          if (!Float.isNaN(frame.get(r, c))) {
            fail("a float outside %s was overwritten", inside(frame));
          }
        }
      }
    }
  }

  @Override
  public void close() {
    frames.forEach(Matrix::close);
  }
}
