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
 * @param gelu what is done to the sums
 * @param pre [m, n], what GELU is taken of; null without GELU
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
    int k,
    Gelu gelu,
    Memory pre) {

  /** How a factor lies in memory. */
  public enum Form {
    /** Row by row. */
    PLAIN,
    /** As its transpose, row by row. */
    TRANSPOSED
  }

  /** GELU by the hyperbolic tangent, as part of a product. */
  public enum Gelu {
    NONE,
    /** The sums go to pre, and d = gelu(pre). */
    FORWARD,
    /** d is the sums times gelu'(pre), and bias gets the column sums of d. */
    BACKWARD
  }

  public Gemm {
    check("a", a, (long) m * k);
    check("b", b, (long) k * n);
    check("c", c, (long) m * n);
    check("bias", bias, n);
    check("d", d, (long) m * n);
    check("pre", pre, (long) m * n);
  }

  /** One without GELU. */
  Gemm(
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
    this(name, a, aForm, b, bForm, c, bias, d, m, n, k, Gelu.NONE, null);
  }

  /** The same with GELU. */
  Gemm with(Gelu direction, Memory of) {
    return new Gemm(name, a, aForm, b, bForm, c, bias, d, m, n, k, direction, of);
  }

  /** What it is, apart from its memory: {@code head 64x10x192 nn bf16 + bias}. */
  String label() {
    String forms = form(aForm) + form(bForm);
    String type = d.type().name().toLowerCase(Locale.ROOT);
    String added = bias == null ? "" : " + bias";
    String done = gelu == Gelu.NONE ? "" : gelu == Gelu.FORWARD ? ", gelu" : ", gelu'";
    return String.format(Locale.ROOT, "%s %dx%dx%d %s %s", name, m, n, k, forms, type)
        + added
        + done;
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
