package org.mixtraining.gpu;

/**
 * A product of row-major matrices: {@code d[m, n] = a[m, k] · b[k, n] + c[m, n] + bias[n]}. What is
 * multiplied is of the device's {@link Gpu#matrixType}, the rest of one type; it is added up in
 * float32.
 *
 * @param aForm how a is given
 * @param bForm how b is given
 * @param c null: nothing is added; may be d itself
 * @param bias null: nothing is added
 */
public record Gemm(
    Memory a,
    Form aForm,
    Memory b,
    Form bForm,
    Memory c,
    Memory bias,
    Memory d,
    int m,
    int n,
    int k) {

  /** How a factor lies in memory. */
  public enum Form {
    /** Row by row. */
    PLAIN,
    /** As its transpose, row by row. */
    TRANSPOSED
  }

  public Gemm {
    check("a", a, (long) m * k);
    check("b", b, (long) k * n);
    check("c", c, (long) m * n);
    check("bias", bias, n);
    check("d", d, (long) m * n);
  }

  private static void check(String name, Memory memory, long count) {
    if (memory != null && memory.count() < count) {
      throw new IllegalArgumentException(
          "%s has %s values, %s are read".formatted(name, memory.count(), count));
    }
  }
}
