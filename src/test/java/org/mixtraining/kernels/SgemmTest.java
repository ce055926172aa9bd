package org.mixtraining.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SgemmTest {

  private static Matrix random(int rows, int cols, long seed) {
    Random random = new Random(seed);
    Matrix wide = Matrix.allocate(rows + 2, cols + 5);
    Matrix view = wide.rows(1, rows + 1).cols(3, cols + 3);
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < cols; c++) {
        view.set(r, c, (float) random.nextGaussian());
      }
    }
    return view;
  }

  private static double sum(
      Matrix a, Matrix b, boolean transA, boolean transB, int k, int row, int column) {
    double sum = 0;
    for (int i = 0; i < k; i++) {
      sum +=
          (double) (transA ? a.get(i, row) : a.get(row, i))
              * (transB ? b.get(column, i) : b.get(i, column));
    }
    return sum;
  }

  private static void assertProduct(
      Matrix c, Matrix a, Matrix b, boolean transA, boolean transB, int k, double added) {
    for (int row = 0; row < c.rows(); row += 3) {
      for (int column = 0; column < c.cols(); column += 7) {
        assertThat((double) c.get(row, column))
            .isCloseTo(added + sum(a, b, transA, transB, k, row, column), within(2e-4));
      }
    }
  }

  /** Below and above the size from which the library changes, on parts of larger matrices. */
  @ParameterizedTest
  @CsvSource({"5, 7, 3", "65, 64, 65", "130, 96, 150", "131, 97, 151", "544, 48, 192"})
  void productsAreThoseOfFloat64(int m, int n, int k) {
    Matrix c = random(m, n, 3);
    Matrix a = random(m, k, 1);
    Matrix b = random(k, n, 2);

    Sgemm.ab(a, b, c);
    assertProduct(c, a, b, false, false, k, 0);

    fill(c);
    Sgemm.addAb(a, b, c);
    assertProduct(c, a, b, false, false, k, 1);

    Matrix bT = random(n, k, 4);
    Sgemm.abT(a, bT, c);
    assertProduct(c, a, bT, false, true, k, 0);

    Matrix aT = random(k, m, 5);
    Sgemm.aTb(aT, b, c);
    assertProduct(c, aT, b, true, false, k, 0);
  }

  private static void fill(Matrix c) {
    for (int r = 0; r < c.rows(); r++) {
      for (int column = 0; column < c.cols(); column++) {
        c.set(r, column, 1);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"200, 96, 150", "65, 64, 65"})
  void everyThreadComputesTheSameBits(int m, int n, int k) throws Exception {
    Matrix a = random(m, k, 1);
    Matrix b = random(k, n, 2);
    List<Callable<List<Float>>> products = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      products.add(
          () -> {
            Matrix c = random(m, n, 9);
            Sgemm.ab(a, b, c);
            return values(c);
          });
    }
    var threads = Executors.newFixedThreadPool(4);
    try {
      List<Future<List<Float>>> results = threads.invokeAll(products);
      List<Float> first = results.get(0).get();
      for (Future<List<Float>> result : results) {
        assertThat(result.get()).isEqualTo(first);
      }
    } finally {
      threads.shutdown();
    }
  }

  private static List<Float> values(Matrix c) {
    List<Float> values = new ArrayList<>();
    for (int r = 0; r < c.rows(); r++) {
      for (int column = 0; column < c.cols(); column++) {
        values.add(c.get(r, column));
      }
    }
    return values;
  }
}
