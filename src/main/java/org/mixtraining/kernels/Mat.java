package org.mixtraining.kernels;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A row-major matrix of float32 in off-heap memory: rows × cols, with {@code stride} floats between
 * row starts. A view never copies; only {@link #allocate} owns memory.
 */
public final class Mat implements AutoCloseable {

  /** A zeroed matrix with memory of its own, freed by {@link #close}. */
  public static Mat allocate(int rows, int cols) {
    throw new UnsupportedOperationException();
  }

  /**
   * A view of an array's memory: rank 1 becomes one row, rank 2 keeps its shape, higher ranks keep
   * the first dimension as rows. It must be float32 and in 'c' order without gaps.
   */
  public static Mat of(INDArray array) {
    throw new UnsupportedOperationException();
  }

  public int rows() {
    throw new UnsupportedOperationException();
  }

  public int cols() {
    throw new UnsupportedOperationException();
  }

  public int stride() {
    throw new UnsupportedOperationException();
  }

  /** Rows {@code from} (inclusive) to {@code to} (exclusive). */
  public Mat rows(int from, int to) {
    throw new UnsupportedOperationException();
  }

  /** Columns {@code from} (inclusive) to {@code to} (exclusive). */
  public Mat cols(int from, int to) {
    throw new UnsupportedOperationException();
  }

  /** The floats from {@code offset} of a gapless matrix, seen as rows × cols. */
  public Mat slice(int offset, int rows, int cols) {
    throw new UnsupportedOperationException();
  }

  public float get(int row, int col) {
    throw new UnsupportedOperationException();
  }

  public void set(int row, int col, float value) {
    throw new UnsupportedOperationException();
  }

  public void fill(float value) {
    throw new UnsupportedOperationException();
  }

  /** Copies {@code source}, of the same shape, into this matrix. */
  public void copyFrom(Mat source) {
    throw new UnsupportedOperationException();
  }

  /** Adds {@code source}, of the same shape, to this matrix. */
  public void add(Mat source) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {}
}
