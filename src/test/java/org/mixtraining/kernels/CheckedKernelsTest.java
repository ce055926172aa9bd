package org.mixtraining.kernels;

import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class CheckedKernelsTest {
  private final Kernels kernels =
      new CheckedKernels(new CpuKernels(new ScalarRowOps(0), new Gemm(false)));
  private final Matrix all = Matrix.allocate(40, 40);

  @Test
  void aWrongShapeIsNamedWithTheOneThatIsNeeded() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> kernels.linear(part(5, 4), part(3, 6), part(1, 6), part(5, 6)))
        .withMessage("linear: w is [3 x 6, stride 40], needed [4 x 6]");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> kernels.linearWeightGradient(part(5, 4), part(5, 6), part(4, 5)))
        .withMessage("linearWeightGradient: dw is [4 x 5, stride 40], needed [4 x 6]");
  }

  @Test
  void attentionNeedsWholeImagesAndHeads() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> kernels.attention(part(10, 18), 4, 2, part(20, 8), part(10, 6)))
        .withMessageContaining("needed images · 4 tokens x 3 · 2 heads · width");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> kernels.attention(part(10, 18), 5, 2, part(20, 5), part(10, 6)))
        .withMessage("attention: probabilities is [20 x 5, stride 40], needed [20 x 8]");
  }

  @Test
  void adamWCountsStepsFromOne() {
    Matrix g = part(1, 8);
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> kernels.adamW(g, part(1, 8), part(1, 8), new AdamStep(1, 0.9, 0.9, 1e-8, 0)))
        .withMessage("adamW: step counts from 1, got 0");
  }

  private Matrix part(int rows, int cols) {
    return all.rows(0, rows).cols(0, cols);
  }
}
