package org.mixtraining.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class TapeTest {

  private static final Offset<Double> EXACT = within(1e-14);

  private final Tape tape = new Tape();

  /** An operation on some inputs. */
  private interface Operation {
    Node on(Tape tape, Node... inputs);
  }

  @Test
  void everyDerivativeIsThatOfFiniteDifferences() {
    int[] again = {2, 0, 2};
    double[] squared = Formula.wave(0, 1, 9, 0.7, 12);
    double[] rowWeights = {0.5, 0, 2};
    double[] targets = {0, 1, 0, 0, 0.2, 0.3, 0, 0.5, 0, 0, 0, 0};

    differentiate("matmul", (t, in) -> t.matmul(in[0], in[1]), input(3, 4), input(4, 2));
    differentiate("add", (t, in) -> t.add(in[0], in[1]), input(3, 4), input(3, 4));
    differentiate("add to itself", (t, in) -> t.add(in[0], in[0]), input(3, 4));
    differentiate("add row", (t, in) -> t.add(in[0], in[1]), input(3, 4), input(1, 4));
    differentiate("scale", (t, in) -> t.scale(in[0], -2.5), input(3, 4));
    differentiate("transpose", (t, in) -> t.transpose(in[0]), input(3, 4));
    differentiate("gatherRows", (t, in) -> t.gatherRows(in[0], again), input(3, 4));
    differentiate("rows", (t, in) -> t.rows(in[0], 1, 3), input(4, 3));
    differentiate("cols", (t, in) -> t.cols(in[0], 1, 3), input(3, 4));
    differentiate("concatRows", (t, in) -> t.concatRows(in[0], in[1]), input(3, 4), input(1, 4));
    differentiate("gelu", (t, in) -> t.gelu(in[0]), input(3, 4));
    differentiate("softmaxRows", (t, in) -> t.softmaxRows(in[0]), input(3, 4));
    differentiate("meanOfRows", (t, in) -> t.meanOfRows(in[0]), input(3, 4));
    differentiate(
        "layerNorm",
        (t, in) -> t.layerNorm(in[0], in[1], in[2], 1e-2),
        input(3, 4),
        input(1, 4),
        input(1, 4));
    differentiate("crossEntropy", (t, in) -> Losses.crossEntropy(t, in[0], targets), input(3, 4));
    differentiate(
        "weightedSquares",
        (t, in) -> Losses.weightedSquares(t, in[0], squared, rowWeights),
        input(3, 4));
  }

  @Test
  void matmulMultiplies() {
    Node product = tape.matmul(new Node(2, 2, 1, 2, 3, 4), new Node(2, 1, 5, 6));

    assertThat(product.value).containsExactly(17, 39);
  }

  @Test
  void aShapeThatDoesNotFitIsNamed() {
    assertThatThrownBy(() -> tape.matmul(input(2, 3), input(2, 3)))
        .hasMessage("matmul of [2, 3] and [2, 3]");
    assertThatThrownBy(() -> tape.add(input(3, 2), input(2, 2)))
        .hasMessage("add of [3, 2] and [2, 2]");
    assertThatThrownBy(() -> new Node(2, 3, 1, 2)).hasMessage("2 values are no matrix[2, 3]");
  }

  @Test
  void picksCopyTheRightEntries() {
    Node a = new Node(2, 3, 1, 2, 3, 4, 5, 6);

    assertThat(tape.transpose(a).value).containsExactly(1, 4, 2, 5, 3, 6);
    assertThat(tape.cols(a, 1, 3).value).containsExactly(2, 3, 5, 6);
    assertThat(tape.rows(a, 1, 2).value).containsExactly(4, 5, 6);
    assertThat(tape.gatherRows(a, 1, 1, 0).value).containsExactly(4, 5, 6, 4, 5, 6, 1, 2, 3);
    assertThat(tape.concatRows(a, new Node(1, 3, 7, 8, 9)).value)
        .containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9);
    assertThat(tape.meanOfRows(a).value).containsExactly(2.5, 3.5, 4.5);
  }

  /** Φ(1) = 0.8413447460685429…, Φ(−3) = 0.0013498980316300945…, Φ(−6) = 9.86587645037698e-10. */
  @Test
  void geluIsTheOneOfTheErrorFunction() {
    double[] gelu = tape.gelu(new Node(1, 4, 0, 1, -3, -6)).value;

    assertThat(gelu[0]).isZero();
    assertThat(gelu[1]).isCloseTo(0.8413447460685429, EXACT);
    assertThat(gelu[2]).isCloseTo(-3 * 0.0013498980316300946, EXACT);
    assertThat(gelu[3]).isCloseTo(-6 * 9.86587645037698e-10, within(1e-21));
  }

  /** Mean 3 and variance 5 of 0, 2, 4, 6: with eps 4 the standard deviation is 3. */
  @Test
  void layerNormDividesByTheRootOfVariancePlusEpsilon() {
    Node x = new Node(1, 4, 0, 2, 4, 6);
    double[] y = tape.layerNorm(x, new Node(1, 4, 3, 3, 3, 6), new Node(1, 4, 0, 0, 1, 0), 4).value;

    assertThat(y).containsExactly(new double[] {-3, -1, 2, 6}, EXACT);
  }

  @Test
  void softmaxOfLogarithmsAreTheirShares() {
    Node logs = new Node(2, 3, 0, Math.log(2), Math.log(3), 1000, 0, 1000);

    assertThat(tape.softmaxRows(logs).value)
        .containsExactly(new double[] {1 / 6.0, 1 / 3.0, 1 / 2.0, 0.5, 0, 0.5}, EXACT);
  }

  @Test
  void crossEntropyIsTheLogarithmOfTheTargetsShare() {
    Node logs = new Node(1, 3, 0, Math.log(2), Math.log(3));
    Node far = new Node(1, 2, 0, 1000);

    assertThat(Losses.crossEntropy(tape, logs, 0, 1, 0).value[0]).isCloseTo(Math.log(3), EXACT);
    assertThat(Losses.crossEntropy(tape, logs, 0.25, 0, 0.75).value[0])
        .isCloseTo(0.25 * Math.log(6) + 0.75 * Math.log(2), EXACT);
    assertThat(Losses.crossEntropy(tape, logs, 0, 0, 0).value[0]).isZero();
    assertThat(Losses.crossEntropy(tape, far, 1, 0).value[0]).isCloseTo(1000, EXACT);
  }

  @Test
  void weightedSquaresWeighsRows() {
    Node a = new Node(2, 2, 1, 2, 3, 4);
    double[] target = {0, 0, 3, 1};

    assertThat(Losses.weightedSquares(tape, a, target, new double[] {10, 0.5}).value[0])
        .isCloseTo(10 * (1 + 4) + 0.5 * 9, EXACT);
  }

  private static Node input(int rows, int cols) {
    return new Node(rows, cols, Formula.wave(0.1, 1.5, rows, 0.41, rows * cols));
  }

  private static void differentiate(String name, Operation operation, Node... inputs) {
    Tape tape = new Tape();
    tape.backward(probe(tape, operation.on(tape, inputs)));
    double h = 1e-5;
    for (Node input : inputs) {
      for (int i = 0; i < input.value.length; i++) {
        double at = input.value[i];
        input.value[i] = at + h;
        double above = value(operation, inputs);
        input.value[i] = at - h;
        double below = value(operation, inputs);
        input.value[i] = at;
        assertThat(input.gradient[i])
            .as("%s, input %s, entry %d", name, input, i)
            .isCloseTo((above - below) / (2 * h), within(1e-8));
      }
    }
  }

  private static double value(Operation operation, Node... inputs) {
    Tape tape = new Tape();
    return probe(tape, operation.on(tape, inputs)).value[0];
  }

  /** Σ cos(i)·a[i]: a scalar to which every entry contributes differently. */
  private static Node probe(Tape tape, Node a) {
    Node sum = Node.zeros(1, 1);
    for (int i = 0; i < a.value.length; i++) {
      sum.value[0] += Math.cos(i) * a.value[i];
    }
    tape.derivative(
        () -> {
          for (int i = 0; i < a.value.length; i++) {
            a.gradient[i] += Math.cos(i) * sum.gradient[0];
          }
        });
    return sum;
  }
}
