package org.mixtraining.kernels;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Objects;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A row-major matrix of float32 in off-heap memory: rows × cols, with {@code stride} floats between
 * row starts. A view never copies; only {@link #allocate} owns memory.
 */
public record Matrix(Memory memory, int offset, int rows, int cols, int stride, boolean owner)
    implements AutoCloseable {
  /** A zeroed matrix with memory of its own, freed by {@link #close}. */
  public static Matrix allocate(int rows, int cols) {
    if (rows < 1 || cols < 1) {
      throw new IllegalArgumentException(
          "a matrix has at least one row and one column, got " + rows + " x " + cols);
    }
    return new Matrix(Memory.allocate((long) rows * cols), 0, rows, cols, cols, true);
  }

  /** A matrix with memory of its own, of the values from index {@code at} on. */
  public static Matrix copyOf(float[] values, int at, int rows, int cols) {
    Matrix copy = allocate(rows, cols);
    copy.write(values, at);
    return copy;
  }

  /**
   * A view of an array's memory: rank 1 becomes one row, rank 2 keeps its shape, higher ranks keep
   * the first dimension as rows. It must be float32 and in 'c' order without gaps, but for gaps
   * between rows.
   */
  public static Matrix of(INDArray array) {
    if (array.dataType() != DataType.FLOAT || array.isEmpty() || array.rank() == 0) {
      throw unsuitable(array);
    }
    boolean vector = array.rank() == 1;
    long cols = 1;
    for (int d = array.rank() - 1; d >= (vector ? 0 : 1); d--) {
      if (array.size(d) > 1 && array.stride(d) != cols) {
        throw unsuitable(array);
      }
      cols *= array.size(d);
    }
    long rows = vector ? 1 : array.size(0);
    long stride = rows == 1 ? cols : array.stride(0);
    if (stride < cols) {
      throw unsuitable(array);
    }
    Memory memory = Memory.of(array.data(), array.offset(), (rows - 1) * stride + cols);
    return new Matrix(memory, 0, (int) rows, (int) cols, (int) stride, false);
  }

  private static IllegalArgumentException unsuitable(INDArray array) {
    return new IllegalArgumentException(
        "a matrix views a float32 array in 'c' order without gaps inside a row, got %s %s with strides %s"
            .formatted(
                array.dataType(), Arrays.toString(array.shape()), Arrays.toString(array.stride())));
  }

  /** Rows {@code from} (inclusive) to {@code to} (exclusive). */
  public Matrix rows(int from, int to) {
    checkRange(from, to, rows, "rows");
    return new Matrix(memory, offset + from * stride, to - from, cols, stride, false);
  }

  /** Columns {@code from} (inclusive) to {@code to} (exclusive). */
  public Matrix cols(int from, int to) {
    checkRange(from, to, cols, "columns");
    return new Matrix(memory, offset + from, rows, to - from, stride, false);
  }

  /** The floats from {@code offset} of a gapless matrix, seen as rows × cols. */
  public Matrix slice(int offset, int rows, int cols) {
    if (this.rows > 1 && stride != this.cols) {
      throw new IllegalArgumentException("only a gapless matrix can be sliced, got " + this);
    }
    long size = (long) this.rows * this.cols;
    if (offset < 0 || rows < 1 || cols < 1 || offset + (long) rows * cols > size) {
      throw new IllegalArgumentException(
          "%s x %s floats from %s do not lie in %s".formatted(rows, cols, offset, this));
    }
    return new Matrix(memory, this.offset + offset, rows, cols, cols, false);
  }

  private void checkRange(int from, int to, int size, String what) {
    if (from < 0 || to <= from || to > size) {
      throw new IllegalArgumentException(
          "%s %s to %s do not lie in %s".formatted(what, from, to, this));
    }
  }

  public float get(int row, int col) {
    if (memory.bytes != null) {
      return memory.bytes.getFloat(byteIndex(row, col));
    }
    return memory.buffer.getFloat(index(row, col));
  }

  public void set(int row, int col, float value) {
    if (memory.bytes != null) {
      memory.bytes.putFloat(byteIndex(row, col), value);
    } else {
      memory.buffer.put(index(row, col), value);
    }
  }

  private int byteIndex(int row, int col) {
    return (offset + Objects.checkIndex(row, rows) * stride + Objects.checkIndex(col, cols))
        * Float.BYTES;
  }

  private long index(int row, int col) {
    Objects.checkIndex(row, rows);
    Objects.checkIndex(col, cols);
    return memory.start + offset + (long) row * stride + col;
  }

  public void fill(float value) {
    if (memory.bytes == null) {
      array().assign(value);
      return;
    }
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < cols; c++) {
        put(r, c, value);
      }
    }
  }

  /** The column of a row's largest value; of equal ones the first. */
  public int largest(int row) {
    int best = 0;
    for (int c = 1; c < cols; c++) {
      best = get(row, c) > get(row, best) ? c : best;
    }
    return best;
  }

  /** The elements of a gapless matrix. */
  public float[] read() {
    float[] values = new float[rows * cols];
    read(values, 0);
    return values;
  }

  /** Copies the elements of a gapless matrix to {@code into}, from index {@code at}. */
  public void read(float[] into, int at) {
    Matrix flat = slice(0, 1, rows * cols);
    if (memory.bytes != null) {
      flat.floats().get(into, at, flat.cols);
    } else {
      System.arraycopy(flat.array().data().asFloat(), 0, into, at, flat.cols);
    }
  }

  /** Sets the elements of a gapless matrix to those of {@code from}, from index {@code at}. */
  public void write(float[] from, int at) {
    Matrix flat = slice(0, 1, rows * cols);
    if (memory.bytes != null) {
      flat.floats().put(from, at, flat.cols);
    } else {
      flat.array()
          .assign(
              Nd4j.createFromArray(Arrays.copyOfRange(from, at, at + flat.cols))
                  .reshape(1, flat.cols));
    }
  }

  /** The elements of a single row; host only. */
  private FloatBuffer floats() {
    ByteBuffer bytes = memory.bytes;
    return bytes.slice(at(0), cols * Float.BYTES).order(bytes.order()).asFloatBuffer();
  }

  /** Copies {@code source}, of the same shape, into this matrix. */
  public void copyFrom(Matrix source) {
    checkSameShape(source);
    if (memory.bytes == null) {
      array().assign(source.array());
      return;
    }
    for (int r = 0; r < rows; r++) {
      copyRow(source, r, r);
    }
  }

  /** Copies one row of {@code source}, of the same width, into a row of this matrix; host only. */
  void copyRow(Matrix source, int from, int to) {
    memory.bytes.put(at(to), source.memory.bytes, source.at(from), cols * Float.BYTES);
  }

  /** Adds {@code source}, of the same shape, to this matrix. */
  public void add(Matrix source) {
    checkSameShape(source);
    if (memory.bytes == null) {
      array().addi(source.array());
      return;
    }
    RowOps ops = RowOps.best();
    for (int r = 0; r < rows; r++) {
      ops.add(this, r, source, r, this, r);
    }
  }

  private void checkSameShape(Matrix other) {
    if (other.rows != rows || other.cols != cols) {
      throw new IllegalArgumentException("shapes differ: " + this + " and " + other);
    }
  }

  /** The memory that {@link #at} counts in, as the Vector API takes it. */
  Object vectors() {
    return memory.vectors;
  }

  /** Where a row begins, in bytes of {@link #vectors}. */
  int at(int row) {
    return (offset + row * stride) * Float.BYTES;
  }

  /** An element, unchecked; host only. */
  float at(int row, int col) {
    return memory.bytes.getFloat(at(row) + col * Float.BYTES);
  }

  /** Sets an element, unchecked; host only. */
  void put(int row, int col, float value) {
    memory.bytes.putFloat(at(row) + col * Float.BYTES, value);
  }

  /** Zeroes a row; host only. */
  void zeroRow(int row) {
    for (int c = 0; c < cols; c++) {
      put(row, c, 0);
    }
  }

  /** The first float, for native code. */
  FloatPointer pointer() {
    return memory.at(offset);
  }

  /** A view of the same memory for ND4J operations. */
  INDArray array() {
    return array(0, new long[] {rows, cols}, new long[] {stride, 1});
  }

  /** Any strided view for ND4J operations, from {@code skip} floats after the first. */
  INDArray array(long skip, long[] shape, long[] strides) {
    return Nd4j.create(memory.buffer, shape, strides, memory.start + offset + skip, 'c');
  }

  /** Frees the memory of an allocated matrix, and with it all its views; a view frees nothing. */
  @Override
  public void close() {
    if (owner && memory.buffer.closeable()) {
      memory.buffer.close();
    }
  }

  @Override
  public String toString() {
    return stride == cols
        ? "[" + rows + " x " + cols + "]"
        : "[" + rows + " x " + cols + ", stride " + stride + "]";
  }
}
