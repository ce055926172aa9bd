package org.mixtraining.kernels;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.DoubleSupplier;
import org.mixtraining.kernels.RowOps.AdamFactors;
import org.nd4j.linalg.api.blas.params.MMulTranspose;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.memory.conf.WorkspaceConfiguration;
import org.nd4j.linalg.api.memory.enums.AllocationPolicy;
import org.nd4j.linalg.api.memory.enums.LearningPolicy;
import org.nd4j.linalg.api.memory.enums.ResetPolicy;
import org.nd4j.linalg.api.memory.enums.SpillPolicy;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.impl.reduce.Mmul;
import org.nd4j.linalg.api.ops.impl.reduce.same.Sum;
import org.nd4j.linalg.api.ops.impl.transforms.pairwise.arithmetic.AddOp;
import org.nd4j.linalg.api.ops.impl.transforms.pairwise.arithmetic.Axpy;
import org.nd4j.linalg.api.ops.impl.transforms.pairwise.arithmetic.MulOp;
import org.nd4j.linalg.api.ops.impl.transforms.strict.Erfc;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * Kernels by ND4J operations, all of {@link Kernels} in one class, for any backend ND4J has, CUDA
 * among them. On a device every call is a launch, so there are few: at most 40 in both passes of an
 * encoder block. Spelled out in elementary operations where ND4J's own composite is wrong (precise
 * GELU).
 */
final class Nd4jKernels implements Kernels {
  /** Temporaries live in a workspace of this name, as large as the most that one call needed. */
  private static final String SCRATCH = "MIXTRAINING_KERNELS";

  private static final WorkspaceConfiguration SCRATCH_CONFIGURATION =
      WorkspaceConfiguration.builder()
          .initialSize(0)
          .policyLearning(LearningPolicy.FIRST_LOOP)
          .policyAllocation(AllocationPolicy.STRICT)
          .policySpill(SpillPolicy.REALLOCATE)
          .policyReset(ResetPolicy.BLOCK_LEFT)
          .build();

  private final Map<Constant, INDArray> constants = new ConcurrentHashMap<>();

  @Override
  public String name() {
    return "nd4j";
  }

  @Override
  public boolean takesWholeBatches() {
    return true;
  }

  // --- linear ----------------------------------------------------------------------------------

  @Override
  public void linear(Matrix x, Matrix w, Matrix bias, Matrix y) {
    call("xw_plus_b", List.of(x.array(), w.array(), vector(bias)), List.of(y.array()));
  }

  @Override
  public void matmul(Matrix x, Matrix w, Matrix y) {
    product(x.array(), w.array(), y.array(), Transposed.NEITHER);
  }

  @Override
  public void linearResidual(Matrix x, Matrix w, Matrix bias, Matrix residual, Matrix y) {
    linear(x, w, bias, y);
    y.array().addi(residual.array());
  }

  @Override
  public void linearInputGradient(Matrix dy, Matrix w, Matrix dx) {
    product(dy.array(), w.array(), dx.array(), Transposed.SECOND);
  }

  @Override
  public void linearWeightGradient(Matrix x, Matrix dy, Matrix dw) {
    product(x.array(), dy.array(), dw.array(), Transposed.FIRST);
  }

  @Override
  public void columnSum(Matrix x, Matrix sum) {
    Nd4j.exec(new Sum(x.array(), sum.array(), true, 0));
  }

  @Override
  public void linearBackward(Matrix x, Matrix w, Matrix dy, Matrix dx, Matrix dw, Matrix dBias) {
    if (w.rows() == 1 || w.cols() == 1) { // ND4J takes it for a vector, and its shapes for wrong
      Kernels.super.linearBackward(x, w, dy, dx, dw, dBias);
      return;
    }
    call(
        "xw_plus_b_bp",
        List.of(x.array(), w.array(), vector(dBias), dy.array()), // of the bias it needs the shape
        List.of(dx.array(), dw.array(), vector(dBias)));
  }

  // --- layer norm: as batch norm, which has an epsilon, with rows for channels ------------------

  @Override
  public void layerNorm(Matrix x, Matrix gain, Matrix bias, float eps, Matrix y, Matrix stats) {
    scratch(
        () -> {
          int rows = x.rows();
          int dim = x.cols();
          INDArray mean = column(stats, 0);
          INDArray variance = empty(rows);
          INDArray normal = empty(rows, dim);
          call("moments", List.of(x.array()), List.of(mean, variance), 1);
          // 1/√(var + eps) is what becomes of a 1
          normalize(0, eps, constant(1, rows), constant(0, rows), variance, column(stats, 1));
          normalize(0, eps, x.array(), mean, variance, normal);
          scaleAndShift(normal, vector(gain), vector(bias), y.array());
        });
  }

  @Override
  public void layerNormBackward(
      Matrix dy,
      Matrix x,
      Matrix stats,
      Matrix gain,
      Matrix residual,
      Matrix dx,
      Matrix dGain,
      Matrix dBias) {
    scratch(
        () -> {
          int rows = x.rows();
          int dim = x.cols();
          INDArray scale = column(stats, 1);
          INDArray normal = empty(rows, dim);
          INDArray one = constant(1, rows);
          INDArray zero = constant(0, rows);
          exactly(
              "batchnorm",
              List.of(x.array(), column(stats, 0), one, scale),
              List.of(normal),
              1,
              0,
              0);
          // the gradients by gain and bias; that by the input would go through a mean of columns
          exactly(
              "batchnorm_bp",
              List.of(
                  normal,
                  constant(0, dim),
                  constant(1, dim),
                  vector(gain),
                  vector(gain), // of the bias it needs the shape
                  dy.array()),
              List.of(empty(rows, dim), empty(dim), empty(dim), vector(dGain), vector(dBias)),
              1,
              1,
              1);
          INDArray d = dy.array().mul(vector(gain).reshape(1, dim)); // [rows, dim]
          INDArray out = residual == null ? dx.array() : empty(rows, dim);
          exactly(
              "batchnorm_bp",
              List.of(normal, zero, one, scale, d),
              List.of(out, empty(rows), empty(rows), empty(rows)),
              1,
              0,
              0);
          if (residual != null) {
            Nd4j.exec(new AddOp(out, residual.array(), dx.array()));
          }
        });
  }

  /** (x − mean) / √(variance + eps), each mean and variance for an index of the axis. */
  private static void normalize(
      int axis, double eps, INDArray x, INDArray mean, INDArray variance, INDArray out) {
    call("batchnorm", List.of(x, mean, variance), List.of(out), new double[] {eps}, 0, 0, axis);
  }

  /** x · gain + bias by columns, in one call. */
  private void scaleAndShift(INDArray x, INDArray gain, INDArray bias, INDArray out) {
    int dim = (int) gain.length();
    exactly(
        "batchnorm",
        List.of(x, constant(0, dim), constant(1, dim), gain, bias),
        List.of(out),
        1,
        1,
        1);
  }

  // --- GELU ------------------------------------------------------------------------------------

  @Override
  public void biasGelu(Matrix h, Matrix bias, Matrix y) {
    h.array().addi(bias.array());
    gelu(h.array(), y.array());
  }

  @Override
  public void biasGeluBackward(Matrix dy, Matrix derivative, Matrix dBias) {
    dy.array().muli(derivative.array());
    columnSum(dy, dBias);
  }

  @Override
  public void linearGelu(Matrix x, Matrix w, Matrix bias, Matrix derivative, Matrix y) {
    linear(x, w, bias, derivative);
    gelu(derivative.array(), y.array());
  }

  @Override
  public void linearGeluBackward(
      Matrix x, Matrix w, Matrix derivative, Matrix dy, Matrix dx, Matrix dw, Matrix dBias) {
    dy.array().muli(derivative.array());
    linearBackward(x, w, dy, dx, dw, dBias);
  }

  /** y = gelu(x); x is overwritten with the derivative Φ(x) + x · φ(x). */
  private static void gelu(INDArray x, INDArray y) {
    scratch(
        () -> {
          INDArray t = x.mul(-Math.sqrt(0.5));
          INDArray normal = Nd4j.exec(new Erfc(t, t.ulike())).muli(0.5); // Φ(x)
          Nd4j.exec(new MulOp(x, normal, y));
          // x · φ(x) · √2π; where the exponential overflows it is 0, as it should be
          INDArray spread = x.div(Transforms.exp(t.muli(t), false));
          Nd4j.exec(new Axpy(spread, normal, x, 1 / Math.sqrt(2 * Math.PI)));
        });
  }

  // --- attention -------------------------------------------------------------------------------

  @Override
  public void attention(Matrix qkv, int tokens, int heads, Matrix probabilities, Matrix out) {
    call(
        "dot_product_attention",
        List.of(
            part(qkv, 0, tokens, heads), part(qkv, 1, tokens, heads), part(qkv, 2, tokens, heads)),
        List.of(perHead(out, 0, out.cols(), tokens, heads), scores(probabilities, tokens, heads)),
        1, // scaled by 1/√width
        1); // with its weights
    if (probabilities.cols() > tokens) {
      probabilities.cols(tokens, probabilities.cols()).fill(0);
    }
  }

  /** Recomputes the attention weights from q and k in the same call. */
  @Override
  public void attentionBackward(
      Matrix qkv, int tokens, int heads, Matrix probabilities, Matrix dOut, Matrix dQkv) {
    call(
        "dot_product_attention_bp",
        List.of(
            part(qkv, 0, tokens, heads),
            part(qkv, 1, tokens, heads),
            part(qkv, 2, tokens, heads),
            perHead(dOut, 0, dOut.cols(), tokens, heads)),
        List.of(
            part(dQkv, 0, tokens, heads),
            part(dQkv, 1, tokens, heads),
            part(dQkv, 2, tokens, heads)),
        1);
  }

  /** q, k or v, the first, second or third part of qkv: [images, heads, dim / heads, tokens]. */
  private static INDArray part(Matrix qkv, int which, int tokens, int heads) {
    int dim = qkv.cols() / 3;
    return perHead(qkv, which * dim, dim, tokens, heads);
  }

  /** Columns of x[images·tokens, dim] seen as [images, heads, dim / heads, tokens]. */
  private static INDArray perHead(Matrix x, int from, int dim, int tokens, int heads) {
    long width = dim / heads;
    return x.array(
        from,
        new long[] {x.rows() / tokens, heads, width, tokens},
        new long[] {(long) tokens * x.stride(), width, 1, x.stride()});
  }

  /** The probabilities without padding: [images, heads, tokens (keys), tokens (queries)]. */
  private static INDArray scores(Matrix probabilities, int tokens, int heads) {
    long perHead = (long) tokens * probabilities.stride();
    return probabilities.array(
        0,
        new long[] {probabilities.rows() / tokens / heads, heads, tokens, tokens},
        new long[] {heads * perHead, perHead, 1, probabilities.stride()});
  }

  // --- losses ----------------------------------------------------------------------------------

  @Override
  public double softmaxCrossEntropy(Matrix logits, Matrix target, float weight, Matrix dLogits) {
    return scratched(
        () -> {
          INDArray t = target.array().castTo(DataType.DOUBLE); // [rows, classes]
          INDArray logP = logits.array().castTo(DataType.DOUBLE);
          logP.subi(logP.max(true, 1));
          logP.subi(Transforms.log(Transforms.exp(logP, true).sum(true, 1), false));
          INDArray d = Transforms.exp(logP, true).muli(t.sum(true, 1)).subi(t).muli(weight);
          dLogits.array().assign(d.castTo(DataType.FLOAT));
          return -t.muli(logP).sumNumber().doubleValue();
        });
  }

  @Override
  public double maskedSquaredError(
      Matrix prediction, Matrix target, Matrix selected, float weight, Matrix dPrediction) {
    return scratched(
        () -> {
          INDArray error = prediction.array().sub(target.array()).muli(selected.array());
          dPrediction.array().assign(error.mul(2 * weight));
          INDArray wide = error.castTo(DataType.DOUBLE);
          return wide.muli(wide).sumNumber().doubleValue();
        });
  }

  // --- optimizer -------------------------------------------------------------------------------

  @Override
  public void adamW(Matrix gradient, Matrix m, Matrix v, AdamStep step) {
    AdamFactors f = AdamFactors.of(step);
    scratch(
        () -> {
          INDArray g = gradient.array();
          INDArray first = m.array().muli(f.beta1()).addi(g.mul(f.rest1()));
          INDArray second = v.array().muli(f.beta2()).addi(g.mul(g).muli(f.rest2()));
          INDArray root = Transforms.sqrt(second, true).muli(f.rootScale()).addi(f.eps());
          g.assign(first.mul(f.rate()).divi(root));
        });
  }

  @Override
  public void addScaled(Matrix x, double factor, Matrix y) {
    Nd4j.exec(new Axpy(x.array(), y.array(), y.array(), factor));
  }

  // --- ND4J ------------------------------------------------------------------------------------

  private enum Transposed {
    NEITHER,
    FIRST,
    SECOND
  }

  private static void product(INDArray a, INDArray b, INDArray c, Transposed which) {
    MMulTranspose transpose =
        MMulTranspose.builder()
            .transposeA(which == Transposed.FIRST)
            .transposeB(which == Transposed.SECOND)
            .build();
    Nd4j.exec(new Mmul(a, b, c, 1, 0, transpose));
  }

  /** A normalisation with an epsilon of 0. */
  private static void exactly(
      String name, List<INDArray> inputs, List<INDArray> outputs, int... integers) {
    call(name, inputs, outputs, new double[] {0}, integers);
  }

  private static void call(
      String name, List<INDArray> inputs, List<INDArray> outputs, int... integers) {
    call(name, inputs, outputs, new double[0], integers);
  }

  /** One of ND4J's operations by its name in the native library; outputs may be strided views. */
  private static void call(
      String name,
      List<INDArray> inputs,
      List<INDArray> outputs,
      double[] numbers,
      int... integers) {
    Nd4j.exec(
        DynamicCustomOp.builder(name)
            .addInputs(inputs.toArray(INDArray[]::new))
            .addOutputs(outputs.toArray(INDArray[]::new))
            .addFloatingPointArguments(Arrays.stream(numbers).boxed().toArray(Double[]::new))
            .addIntegerArguments(integers)
            .build());
  }

  /** A row as rank 1. */
  private static INDArray vector(Matrix row) {
    return row.array(0, new long[] {row.cols()}, new long[] {1});
  }

  /** A column as rank 1. */
  private static INDArray column(Matrix x, int column) {
    return x.array(column, new long[] {x.rows()}, new long[] {x.stride()});
  }

  private static INDArray empty(long... shape) {
    return Nd4j.createUninitialized(DataType.FLOAT, shape);
  }

  private record Constant(int value, int length) {}

  /** A vector of equal numbers, made once. */
  private INDArray constant(int value, int length) {
    return constants.computeIfAbsent(
        new Constant(value, length),
        c -> {
          try (MemoryWorkspace none = Nd4j.getWorkspaceManager().scopeOutOfWorkspaces()) {
            return Nd4j.valueArrayOf(new long[] {c.length()}, (float) c.value(), DataType.FLOAT);
          }
        });
  }

  private static void scratch(Runnable body) {
    scratched(
        () -> {
          body.run();
          return 0;
        });
  }

  /** Runs the body with its temporary arrays in the scratch workspace. */
  private static double scratched(DoubleSupplier body) {
    MemoryWorkspace workspace =
        Nd4j.getWorkspaceManager().getAndActivateWorkspace(SCRATCH_CONFIGURATION, SCRATCH);
    try {
      return body.getAsDouble();
    } finally {
      workspace.close();
    }
  }
}
