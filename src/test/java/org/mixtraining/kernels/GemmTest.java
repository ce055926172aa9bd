package org.mixtraining.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mixtraining.ForkedJvm;
import org.mixtraining.config.UserException;
import org.mixtraining.config.WorkersConfig.Precision;

class GemmTest {
  private static final Gemm FP32 = new Gemm(false);

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

    FP32.ab(a, b, c);
    assertProduct(c, a, b, false, false, k, 0);

    fill(c);
    FP32.addAb(a, b, c);
    assertProduct(c, a, b, false, false, k, 1);

    Matrix bT = random(n, k, 4);
    FP32.abT(a, bT, c);
    assertProduct(c, a, bT, false, true, k, 0);

    Matrix aT = random(k, m, 5);
    FP32.aTb(aT, b, c);
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
            FP32.ab(a, b, c);
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

  private static Matrix copy(Matrix x) {
    Matrix copy = Matrix.allocate(x.rows(), x.cols());
    copy.copyFrom(x);
    return copy;
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

  // --- bfloat16 ----------------------------------------------------------------------------------

  /** Half of a bfloat16's distance to the next, relative: it keeps 8 significant bits. */
  private static final double ROUNDING = Math.pow(2, -8);

  private static void assumeBf16() {
    assumeTrue(OneDnn.bf16IsQuick(), "this processor has no quick products in bfloat16");
  }

  /** To the nearest of bfloat16, ties to even. */
  private static Matrix rounded(Matrix x) {
    Matrix rounded = Matrix.allocate(x.rows(), x.cols());
    for (int r = 0; r < x.rows(); r++) {
      for (int c = 0; c < x.cols(); c++) {
        int bits = Float.floatToRawIntBits(x.get(r, c));
        int near = bits + 0x7FFF + (bits >>> 16 & 1) & 0xFFFF0000;
        rounded.set(r, c, Float.intBitsToFloat(near));
        assertThat((double) rounded.get(r, c))
            .isCloseTo(x.get(r, c), within(ROUNDING * Math.abs(x.get(r, c))));
      }
    }
    return rounded;
  }

  /**
   * Exactly the products of the rounded factors: nothing else is rounded but their float32 sums.
   */
  @ParameterizedTest
  @CsvSource({"130, 96, 150", "131, 97, 151", "544, 48, 192", "96, 1088, 300"})
  void productsInBf16AreThoseOfRoundedFactorsInFloat64(int m, int n, int k) {
    assumeBf16();
    var bf16 = new Gemm(true);
    Matrix c = random(m, n, 3);
    Matrix a = random(m, k, 1);
    Matrix b = random(k, n, 2);

    bf16.ab(a, b, c);
    assertProduct(c, rounded(a), rounded(b), false, false, k, 0);
    assertThat((double) c.get(0, 0)).isNotCloseTo(sum(a, b, false, false, k, 0, 0), within(1e-6));

    fill(c);
    bf16.addAb(a, b, c);
    assertProduct(c, rounded(a), rounded(b), false, false, k, 1);

    Matrix bT = random(n, k, 4);
    bf16.abT(a, bT, c);
    assertProduct(c, rounded(a), rounded(bT), false, true, k, 0);

    Matrix aT = random(k, m, 5);
    bf16.aTb(aT, b, c);
    assertProduct(c, rounded(aT), rounded(b), true, false, k, 0);
  }

  /** Whatever their sizes, and wherever the library or the precision changes. */
  @ParameterizedTest
  @CsvSource({"544, 192, 96, true", "5, 7, 3, true", "131, 97, 151, false", "131, 97, 151, true"})
  void bothGradientsAreTheTwoProductsToTheBit(int rows, int in, int out, boolean half) {
    if (half) {
      assumeBf16();
    }
    var gemm = new Gemm(half);
    Matrix x = random(rows, in, 1);
    Matrix w = random(in, out, 2);
    Matrix dy = random(rows, out, 3);
    Matrix dw = random(in, out, 4);
    Matrix dx = random(rows, in, 5);
    gemm.aTb(x, dy, dw);
    gemm.abT(dy, w, dx);
    List<Float> dwAlone = values(dw);
    List<Float> dxAlone = values(dx);
    fill(dw);
    fill(dx);

    gemm.gradients(x, w, dy, dx, dw);

    assertThat(values(dw)).isEqualTo(dwAlone);
    assertThat(values(dx)).isEqualTo(dxAlone);
  }

  /** The weights' neighbours in memory are no weights, and a part of their columns is none. */
  @Test
  void weightsThatAreHeldGiveTheSameBitsUntilTheyAreReleased() {
    assumeBf16();
    int in = 151;
    int out = 97;
    Matrix flat = random(1, 3 + in * out + 40, 1);
    Matrix all = flat.cols(3, 3 + in * out);
    Matrix w = all.slice(0, in, out);
    Matrix x = random(200, in, 2);
    Matrix wide = copy(x);
    Matrix y = Matrix.allocate(200, out);
    Matrix dx = Matrix.allocate(200, in);
    try (Engine engine = Engine.cpu(2, Precision.BF16)) {
      Kernels kernels = engine.kernels();
      kernels.matmul(x, w, y);
      kernels.linearInputGradient(y, w, dx);
      List<Float> yAlone = values(y);
      List<Float> dxAlone = values(dx);

      try (Engine.Held held = engine.hold(all)) {
        fill(y);
        fill(dx);
        kernels.matmul(wide, w, y);
        kernels.linearInputGradient(y, w, dx);
        assertThat(values(y)).isEqualTo(yAlone);
        assertThat(values(dx)).isEqualTo(dxAlone);

        all.fill(0);
        kernels.matmul(x, w, y);
        assertThat(values(y)).as("as they were when they were held").isEqualTo(yAlone);
      }
      kernels.matmul(x, w, y);
      assertThat(values(y)).containsOnly(0f);
    }
  }

  @Test
  void smallProductsStayFloat32() {
    Matrix c = random(65, 64, 3);
    Matrix a = random(65, 65, 1);
    Matrix b = random(65, 64, 2);

    new Gemm(true).ab(a, b, c);

    assertProduct(c, a, b, false, false, 65, 0);
  }

  @Test
  void precisionIsWhatTheProcessorIsQuickIn() {
    if (OneDnn.bf16IsQuick()) {
      assertThat(Processor.precision(Precision.AUTO)).isEqualTo(Precision.BF16);
      assertThat(Processor.precision(Precision.BF16)).isEqualTo(Precision.BF16);
    } else {
      assertThat(Processor.precision(Precision.AUTO)).isEqualTo(Precision.FP32);
      assertThatThrownBy(() -> Processor.precision(Precision.BF16))
          .isInstanceOf(UserException.class)
          .message()
          .matches(
              "mixtraining.workers.precision = bf16: this processor \\(.+\\) is no faster in bf16 than in float32; .*; set auto or fp32");
    }
    assertThat(Processor.precision(Precision.TF32)).isEqualTo(Precision.FP32);
    assertThat(Processor.precision(Precision.FP32)).isEqualTo(Precision.FP32);
  }

  /** An older processor, as far as oneDNN can play one. */
  @ParameterizedTest
  @ValueSource(strings = {"SSE41", "AVX2"})
  void anOlderProcessorMultipliesInFloat32(String instructions) throws Exception {
    String output =
        ForkedJvm.run(
            jvmArguments(), Map.of("ONEDNN_MAX_CPU_ISA", instructions), OlderProcessor.class);
    assertThat(output).contains("auto is FP32", "products by oneDNN", "products are right");
  }

  private static List<String> jvmArguments() {
    return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(argument -> argument.startsWith("--add-") || argument.startsWith("-Xmx"))
        .toList();
  }

  /** Prints what a JVM chooses, and whether its products are right. */
  static final class OlderProcessor {
    private OlderProcessor() {}

    public static void main(String[] args) {
      System.out.println("auto is " + Processor.precision(Precision.AUTO));
      System.out.println(Processor.describe());
      Matrix c = random(544, 48, 3);
      Matrix a = random(544, 192, 1);
      Matrix b = random(192, 48, 2);
      FP32.ab(a, b, c);
      assertProduct(c, a, b, false, false, 192, 0);
      System.out.println("products are right");
    }
  }
}
