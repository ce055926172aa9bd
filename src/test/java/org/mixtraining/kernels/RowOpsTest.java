package org.mixtraining.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.kernels.RowOps.AdamFactors;

class RowOpsTest {

  @ParameterizedTest
  @ValueSource(ints = {1, 5, 7, 8, 9, 16, 17, 65, 192, 203})
  void vectorsAndPlainJavaGiveTheSameBits(int cols) {
    for (double scale : new double[] {1e-3, 1, 30, 1e6}) {
      assertThat(bitsOfEveryOperation(new VectorRowOps(), cols, scale))
          .as("scale %s", scale)
          .isEqualTo(bitsOfEveryOperation(new ScalarRowOps(0), cols, scale));
    }
  }

  /** Runs each operation on the same rows; the bits of what it returns and of all it wrote. */
  static List<Integer> bitsOfEveryOperation(RowOps ops, int cols, double scale) {
    int n = 12;
    try (Matrix all = random(n, cols, scale)) {
      Matrix[] m = new Matrix[n];
      for (int i = 0; i < n; i++) {
        m[i] = all.rows(i, i + 1);
      }
      List<Integer> bits = new ArrayList<>();
      bits.add(Float.floatToRawIntBits(ops.sum(m[0], 0)));
      bits.add(Float.floatToRawIntBits(ops.max(m[0], 0)));
      bits.add(Float.floatToRawIntBits(ops.dot(m[0], 0, m[1], 0)));
      bits.add(Float.floatToRawIntBits(ops.squaredDeviation(m[0], 0, 0.3f)));
      bits.add(Float.floatToRawIntBits(ops.normalizedDot(m[0], m[1], 0, 0.3f, 1.7f, m[2])));
      ops.normalizeParameterGradient(m[0], m[1], 0, 0.3f, 1.7f, m[2], m[3]);
      ops.normalizeInputGradient(m[0], m[1], 0, 0.3f, 1.7f, m[2], 0.1f, -0.2f, m[3], m[3]);
      ops.normalize(m[0], 0, 0.3f, 1.7f, m[2], m[3], m[4]);
      ops.add(m[0], 0, m[1], 0, m[5], 0);
      ops.multiply(m[5], m[2], 0, m[4]);
      ops.bell(m[6], 0, m[1], m[7]);
      ops.gelu(m[6], 0, m[1], m[7]);
      ops.softmax(m[8], 0, 0.7f);
      ops.softmaxGradient(m[8], 0, m[9], 0, 0.4f, 0.125f);
      m[11].copyFrom(m[10]);
      ops.multiply(m[11], m[10], 0, m[4]); // a second moment is not negative
      int middle = cols / 2;
      AdamFactors factors = AdamFactors.of(new AdamStep(1e-3, 0.9, 0.999, 1e-8, 3));
      ops.adamW(m[0], m[10], m[11], 0, middle, factors);
      ops.adamW(m[0], m[10], m[11], middle, cols, factors);
      ops.addScaled(m[0], -0.7f, m[1], 0, middle);
      ops.addScaled(m[0], -0.7f, m[1], middle, cols);
      for (int i = 0; i < n; i++) {
        for (int c = 0; c < cols; c++) {
          bits.add(Float.floatToRawIntBits(m[i].get(0, c)));
        }
      }
      return bits;
    }
  }

  /** Rows of every sign and size, zeros among them. */
  private static Matrix random(int rows, int cols, double scale) {
    Random random = new Random(11);
    Matrix x = Matrix.allocate(rows, cols);
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < cols; c++) {
        x.set(r, c, c % 11 == 3 ? 0f : (float) (random.nextGaussian() * scale));
      }
    }
    return x;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 8, 17, 65})
  void softmaxIsZeroWhereTheScoreIsMinusInfinityAndTheSameElsewhere(int cols) {
    for (RowOps ops : List.of(new VectorRowOps(), new ScalarRowOps(0))) {
      int stride = Kernels.probabilityStride(cols);
      try (Matrix padded = random(1, stride, 5)) {
        double[] expected =
            Reference.softmax(
                IntStream.range(0, cols).mapToDouble(c -> 0.7f * padded.get(0, c)).toArray());
        for (int c = cols; c < stride; c++) {
          padded.set(0, c, Float.NEGATIVE_INFINITY);
        }

        ops.softmax(padded, 0, 0.7f);

        for (int c = 0; c < stride; c++) {
          double wanted = c < cols ? expected[c] : 0;
          assertThat((double) padded.get(0, c)).isCloseTo(wanted, offset(wanted * 1e-5));
        }
      }
    }
  }
}
