package org.mixtraining.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/** What goes into the network: patches, their targets, and positions. */
class InputsTest {

  private static final Offset<Double> EXACT = within(1e-15);

  /**
   * Two channels of 4x4 pixels numbered 0 … 31: the second patch lies to the right of the first.
   */
  @Test
  void aPatchIsChannelThenRowThenColumn() {
    double[] image = IntStream.range(0, 32).asDoubleStream().toArray();

    double[] patches = Patches.cut(image, 2, 4, 2);

    assertThat(Arrays.copyOfRange(patches, 8, 16)).containsExactly(2, 3, 6, 7, 18, 19, 22, 23);
    assertThat(Arrays.copyOfRange(patches, 16, 24)).containsExactly(8, 9, 12, 13, 24, 25, 28, 29);
  }

  @Test
  void anImageOfAnotherSizeIsRefused() {
    assertThatThrownBy(() -> Patches.cut(new double[31], 2, 4, 2))
        .hasMessage("31 pixels are no image[2, 4, 4]");
  }

  /** 0, 2, 4, 6: squares about the mean sum to 20, so the unbiased variance is 20/3. */
  @Test
  void normalizedPixelsUseTheUnbiasedVariance() {
    double deviation = Math.sqrt(20 / 3.0 + 1e-6);

    double[] normalized = Patches.normalized(new double[] {5, 5, 5, 5, 0, 2, 4, 6}, 4);

    double[] expected = {0, 0, 0, 0, -3 / deviation, -1 / deviation, 1 / deviation, 3 / deviation};
    assertThat(normalized).containsExactly(expected, EXACT);
  }

  /** At width 8, ω is 1 and 1/100. */
  @Test
  void positionsAreSineAndCosineOfColumnThenRow() {
    double[] table = SinCosPositions.table(8, 3);

    assertThat(table).hasSize(10 * 8);
    assertThat(row(table, 0)).containsOnly(0);
    assertThat(row(table, 1)).containsExactly(0, 0, 1, 1, 0, 0, 1, 1);
    double[] lastOfFirstRow = {
      Math.sin(2), Math.sin(0.02), Math.cos(2), Math.cos(0.02), 0, 0, 1, 1
    };
    assertThat(row(table, 3)).containsExactly(lastOfFirstRow, EXACT);
    double[] middleOfLastRow = {
      Math.sin(1), Math.sin(0.01), Math.cos(1), Math.cos(0.01),
      Math.sin(2), Math.sin(0.02), Math.cos(2), Math.cos(0.02)
    };
    assertThat(row(table, 8)).containsExactly(middleOfLastRow, EXACT);
  }

  private static double[] row(double[] table, int row) {
    return Arrays.copyOfRange(table, row * 8, (row + 1) * 8);
  }

  @Test
  void aWidthThatCannotBeQuarteredIsRefused() {
    assertThatThrownBy(() -> SinCosPositions.table(6, 2))
        .hasMessage("token width 6 is no multiple of 4");
  }
}
