package org.mixtraining.gpu;

import java.util.Locale;

/**
 * A product of row-major matrices: {@code d[m, n] = a[m, k] · b[k, n] + c[m, n] + bias[n]}. What is
 * multiplied is of the device's {@link Gpu#matrixType}, the rest of one type; it is added up in
 * float32.
 *
 * @param name which of a step's products it is
 * @param aForm how a is given
 * @param bForm how b is given
 * @param c null: nothing is added; may be d itself
 * @param bias null: nothing is added
 */
public record Gemm(
    String name,
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

  /** What it is, apart from its memory: {@code head 64x10x192 nn bf16 + bias}. */
  String label() {
    String forms = form(aForm) + form(bForm);
    String type = d.type().name().toLowerCase(Locale.ROOT);
    return String.format(Locale.ROOT, "%s %dx%dx%d %s %s", name, m, n, k, forms, type)
        + (bias == null ? "" : " + bias");
  }

  private static String form(Form form) {
    return form == Form.PLAIN ? "n" : "t";
  }

  private static void check(String name, Memory memory, long count) {
    if (memory != null && memory.count() < count) {
      throw new IllegalArgumentException(
          "%s has %s values, %s are read".formatted(name, memory.count(), count));
    }
  }
}
