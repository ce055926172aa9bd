package org.mixtraining.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.memory.conf.WorkspaceConfiguration;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class MatrixTest {

  @Test
  void allocatedMemoryIsZeroAndItsOwn() {
    try (Matrix a = counting(3, 4);
        Matrix b = Matrix.allocate(3, 4)) {
      assertThat(b.get(2, 3)).isZero();
      assertThat(a.get(2, 3)).isEqualTo(11);
      assertThat(a).hasToString("[3 x 4]");
    }
  }

  @Test
  void anEmptyMatrixIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Matrix.allocate(0, 4))
        .withMessage("a matrix has at least one row and one column, got 0 x 4");
  }

  @Test
  void aMatrixBeyondWhatAByteBufferHoldsIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Matrix.allocate(1 << 20, 1 << 20))
        .withMessageContaining("a matrix holds at most 536870911 floats, got 1099511627776");
  }

  @Test
  void viewsOfViewsShareTheMemory() {
    try (Matrix a = counting(6, 10)) {
      Matrix b = a.rows(1, 5).cols(2, 8).rows(1, 3).cols(1, 4);
      assertThat(b.rows()).isEqualTo(2);
      assertThat(b.cols()).isEqualTo(3);
      assertThat(b.stride()).isEqualTo(10);
      assertThat(b.get(0, 0)).isEqualTo(23);
      assertThat(b.get(1, 2)).isEqualTo(35);
      b.set(1, 2, -1);
      assertThat(a.get(3, 5)).isEqualTo(-1);
      assertThat(b).hasToString("[2 x 3, stride 10]");
    }
  }

  @Test
  void allWaysToReadAViewAgree() {
    try (Matrix a = counting(6, 10)) {
      Matrix b = a.rows(2, 5).cols(3, 7);
      for (int r = 0; r < 3; r++) {
        for (int c = 0; c < 4; c++) {
          float expected = (r + 2) * 10 + c + 3;
          assertThat(b.get(r, c)).isEqualTo(expected);
          assertThat(b.at(r, c)).isEqualTo(expected);
          assertThat(b.array().getFloat(r, c)).isEqualTo(expected);
          assertThat(b.pointer().get((long) r * b.stride() + c)).isEqualTo(expected);
        }
      }
    }
  }

  @Test
  void aSliceReshapesAGaplessMatrix() {
    try (Matrix a = counting(4, 6)) {
      Matrix b = a.rows(1, 4).slice(3, 5, 2);
      assertThat(b.get(0, 0)).isEqualTo(9);
      assertThat(b.get(4, 1)).isEqualTo(18);
      assertThat(a.cols(1, 3).rows(2, 3).slice(1, 1, 1).get(0, 0)).isEqualTo(14);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> a.cols(0, 5).slice(0, 1, 1))
          .withMessage("only a gapless matrix can be sliced, got [4 x 5, stride 6]");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> a.slice(20, 1, 5))
          .withMessage("1 x 5 floats from 20 do not lie in [4 x 6]");
    }
  }

  @Test
  void aRangeOutsideIsRefused() {
    try (Matrix a = counting(4, 6)) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> a.rows(2, 5))
          .withMessage("rows 2 to 5 do not lie in [4 x 6]");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> a.cols(3, 3))
          .withMessage("columns 3 to 3 do not lie in [4 x 6]");
      assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> a.get(0, 6));
      assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> a.set(-1, 0, 1));
    }
  }

  @Test
  void fillCopyAndAddStayInsideTheirView() {
    try (Matrix a = counting(5, 20);
        Matrix b = Matrix.allocate(3, 11)) {
      Matrix inner = a.rows(1, 4).cols(4, 15);
      b.copyFrom(inner);
      b.add(inner);
      assertThat(b.get(2, 10)).isEqualTo(2 * 74);
      inner.fill(0.5f);
      inner.add(b);
      assertThat(a.get(3, 14)).isEqualTo(2 * 74 + 0.5f);
      assertThat(a.get(3, 15)).isEqualTo(75);
      assertThat(a.get(3, 3)).isEqualTo(63);
      assertThat(a.get(4, 5)).isEqualTo(85);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> inner.copyFrom(a))
          .withMessage("shapes differ: [3 x 11, stride 20] and [5 x 20]");
      assertThatIllegalArgumentException().isThrownBy(() -> inner.add(a));
    }
  }

  @Test
  void arraysOfAnyRankAreSeenAsRows() {
    INDArray all = Nd4j.arange(24).castTo(DataType.FLOAT);
    assertThat(Matrix.of(all)).hasToString("[1 x 24]");
    assertThat(Matrix.of(all.reshape('c', 4L, 6L))).hasToString("[4 x 6]");
    Matrix cube = Matrix.of(all.reshape('c', 2L, 3L, 4L));
    assertThat(cube).hasToString("[2 x 12]");
    assertThat(cube.get(1, 11)).isEqualTo(23);
    cube.set(1, 11, -5);
    assertThat(all.getFloat(23)).isEqualTo(-5);
  }

  @Test
  void theOffsetOfAnArrayThatIsAViewCounts() {
    INDArray all = Nd4j.arange(60).castTo(DataType.FLOAT);
    INDArray part = all.get(NDArrayIndex.interval(10, 40)); // 10 … 39
    assertThat(Matrix.of(part).at(0, 0)).isEqualTo(10);
    INDArray table = part.reshape('c', 5L, 6L);
    INDArray below = table.get(NDArrayIndex.interval(2, 5), NDArrayIndex.all());
    Matrix matrix = Matrix.of(below);
    assertThat(matrix).hasToString("[3 x 6]");
    assertThat(matrix.at(1, 1)).isEqualTo(29);
    assertThat(matrix.get(1, 1)).isEqualTo(29);
    assertThat(matrix.array().getFloat(1, 1)).isEqualTo(29);
    Matrix right = Matrix.of(table.get(NDArrayIndex.all(), NDArrayIndex.interval(4, 6)));
    assertThat(right).hasToString("[5 x 2, stride 6]");
    assertThat(right.at(4, 1)).isEqualTo(39);
    assertThat(right.get(4, 1)).isEqualTo(39);
    assertThat(right.array().getFloat(4, 1)).isEqualTo(39);
  }

  @Test
  void arraysInAWorkspaceAreSeenToo() {
    var configuration = WorkspaceConfiguration.builder().initialSize(1 << 16).build();
    MemoryWorkspace workspace =
        Nd4j.getWorkspaceManager().getAndActivateWorkspace(configuration, "MAT_TEST");
    try {
      INDArray first = Nd4j.ones(DataType.FLOAT, 3, 5);
      INDArray second = Nd4j.ones(DataType.FLOAT, 3, 5).muli(2);
      Matrix.of(second).set(1, 1, 7);
      assertThat(Matrix.of(second).at(1, 1)).isEqualTo(7);
      assertThat(second.getFloat(1, 1)).isEqualTo(7);
      assertThat(first.sumNumber().floatValue()).isEqualTo(15);
      try (Matrix own = Matrix.allocate(2, 2)) {
        assertThat(own.array().isAttached()).isFalse();
      }
    } finally {
      workspace.close();
    }
  }

  @Test
  void unsuitableArraysAreRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Matrix.of(Nd4j.zeros(DataType.DOUBLE, 2, 3)))
        .withMessage(
            "a matrix views a float32 array in 'c' order without gaps inside a row,"
                + " got DOUBLE [2, 3] with strides [3, 1]");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Matrix.of(Nd4j.create(DataType.FLOAT, new long[] {2, 3}, 'f')))
        .withMessageContaining("got FLOAT [2, 3] with strides [1, 2]");
    INDArray cube = Nd4j.zeros(DataType.FLOAT, 2, 3, 4);
    assertThatIllegalArgumentException().isThrownBy(() -> Matrix.of(cube.permute(0, 2, 1)));
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                Matrix.of(
                    cube.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(0, 2))));
    assertThatIllegalArgumentException().isThrownBy(() -> Matrix.of(Nd4j.scalar(1f)));
  }

  private static Matrix counting(int rows, int cols) {
    Matrix a = Matrix.allocate(rows, cols);
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < cols; c++) {
        a.set(r, c, r * cols + c);
      }
    }
    return a;
  }
}
