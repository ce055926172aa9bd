package org.mixtraining.reference;

/** A matrix[rows, cols], row-major, and the gradient of the loss with respect to it. */
final class Node {
  final int rows;
  final int cols;
  final double[] value;
  final double[] gradient;

  Node(int rows, int cols, double... value) {
    if (value.length != rows * cols) {
      throw new IllegalArgumentException(
          value.length + " values are no matrix[" + rows + ", " + cols + "]");
    }
    this.rows = rows;
    this.cols = cols;
    this.value = value;
    this.gradient = new double[value.length];
  }

  static Node zeros(int rows, int cols) {
    return new Node(rows, cols, new double[rows * cols]);
  }

  @Override
  public String toString() {
    return "[" + rows + ", " + cols + "]";
  }
}
