package org.mixtraining.gpu;

import static org.mixtraining.gpu.Gemm.Form.PLAIN;
import static org.mixtraining.gpu.Gemm.Form.TRANSPOSED;

import org.mixtraining.gpu.Gemm.Gelu;
import org.mixtraining.vit.Architecture.Transformer;

/**
 * The hidden layer of a block's MLP: {@code hidden = gelu(fc1(x))}, and back from the gradient of
 * what fc2 makes of it.
 *
 * <p>In bfloat16 GELU is part of the products where the library can do that, and by the hyperbolic
 * tangent then; else it is a pass of its own, and by the Gauss error function.
 */
final class MlpProgram {

  /** Columns of the matrices beside a product are a multiple of these. */
  private static final int ALIGNED = 8;

  private final Operations ops;
  private final String layer;
  private final int rows;
  private final int width;
  private final Memory preHidden; // [rows, hidden], before GELU; without the bias if it is a pass
  private final Memory hidden; // [rows, hidden]
  private final Memory dHidden; // [rows, hidden]; null: it only goes forward
  private final Memory dBias; // [hidden]
  private final boolean fused;

  /**
   * @param layer with the point that ends it
   * @param memory the beginning of its names
   */
  MlpProgram(
      StepContext bench, String layer, String memory, int rows, Transformer stack, boolean trains) {
    this.ops = bench.operations();
    this.layer = layer;
    this.rows = rows;
    width = stack.hidden();
    long values = (long) rows * width;
    preHidden = bench.matrix(memory + "pre-hidden", values);
    hidden = bench.matrix(memory + "hidden", values);
    dHidden = trains ? bench.matrix("d-hidden", values) : null;
    dBias = trains ? bench.matrix("d-hidden-bias", width) : null;
    Gpu gpu = ops.gpu();
    Memory x = bench.matrix(memory + "norm2", (long) rows * stack.dim());
    fused =
        gpu.matrixType() == Memory.Type.BF16
            && width % ALIGNED == 0
            && stack.dim() % ALIGNED == 0
            && trains
            && gpu.multiplies(product(x))
            && gpu.multiplies(productBackward(x));
  }

  private Gemm product(Memory x) {
    return ops.product(x, layer + "fc1.weight", layer + "fc1.bias", null, hidden, rows)
        .with(Gelu.FORWARD, preHidden);
  }

  private Gemm productBackward(Memory dOut) {
    String weight = layer + "fc2.weight";
    Memory matrix = ops.parameters().rounded(weight);
    int dim = ops.parameters().tensor(weight).cols();
    return new Gemm(
            "fc2 by input", dOut, PLAIN, matrix, TRANSPOSED, null, dBias, dHidden, rows, width, dim)
        .with(Gelu.BACKWARD, preHidden);
  }

  /** [rows, hidden], from x[rows, dim]. */
  Memory forward(Memory x) {
    if (fused) {
      ops.gpu().multiply(product(x));
    } else {
      ops.linear(x, layer + "fc1.weight", null, null, preHidden, rows);
      ops.gelu(preHidden, layer + "fc1.bias", hidden, rows);
    }
    return hidden;
  }

  /** From dOut[rows, dim], the gradient of fc2's output, to dx. */
  void backward(Memory x, Memory dOut, Memory dx) {
    if (fused) {
      ops.weightGradient(hidden, layer + "fc2.weight", dOut, rows);
      ops.gpu().multiply(productBackward(dOut));
      ops.biasGradient(dBias, layer + "fc1.bias", 1);
    } else {
      ops.linearBackward(hidden, layer + "fc2.weight", dOut, dHidden, rows);
      ops.geluBackward(preHidden, layer + "fc1.bias", dHidden, rows);
    }
    ops.linearBackward(x, layer + "fc1.weight", dHidden, dx, rows);
  }
}
