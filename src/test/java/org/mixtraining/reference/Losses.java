package org.mixtraining.reference;

import java.util.Arrays;

/** The two losses, each a [1, 1] node. */
final class Losses {

  private Losses() {}

  /**
   * −Σ target·log softmax(logits) over all rows; d logits = softmax·Σ target − target by row.
   *
   * @param target as many values as {@code logits}; a row of zeros does not count
   */
  static Node crossEntropy(Tape tape, Node logits, double... target) {
    double[] logs = Tape.logSoftmax(logits);
    Node loss = Node.zeros(1, 1);
    for (int i = 0; i < logs.length; i++) {
      loss.value[0] -= target[i] * logs[i];
    }
    tape.derivative(
        () -> {
          for (int i = 0; i < logs.length; i++) {
            int row = i / logits.cols * logits.cols;
            double mass = Arrays.stream(target, row, row + logits.cols).sum();
            logits.gradient[i] += loss.gradient[0] * (Math.exp(logs[i]) * mass - target[i]);
          }
        });
    return loss;
  }

  /** Σ over rows of weight[row] · Σ (a − target)²; da = 2·weight[row]·(a − target). */
  static Node weightedSquares(Tape tape, Node a, double[] target, double[] weight) {
    Node loss = Node.zeros(1, 1);
    for (int i = 0; i < a.value.length; i++) {
      double error = a.value[i] - target[i];
      loss.value[0] += weight[i / a.cols] * error * error;
    }
    tape.derivative(
        () -> {
          for (int i = 0; i < a.value.length; i++) {
            double slope = 2 * weight[i / a.cols] * (a.value[i] - target[i]);
            a.gradient[i] += loss.gradient[0] * slope;
          }
        });
    return loss;
  }
}
