package org.mixtraining.gpu;

import java.util.ArrayList;
import java.util.List;
import org.mixtraining.gpu.Gemm.Form;
import org.mixtraining.kernels.AdamStep;
import org.mixtraining.kernels.Kernels;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.vit.layers.Sequences;

/**
 * The CUDA kernels as {@link Kernels}, on copies of the matrices, so that they meet the contract of
 * those.
 */
public final class CudaKernelsUnderTest implements Kernels, AutoCloseable {
  private static final int SLICES = 3;
  private static final int THREADS = 64;

  private final Gpu gpu = TestGpu.open(Memory.Type.FLOAT);

  @Override
  public String name() {
    return "cuda";
  }

  @Override
  public void close() {
    gpu.close();
  }

  // --- linear ----------------------------------------------------------------------------------

  @Override
  public void linear(Matrix x, Matrix w, Matrix bias, Matrix y) {
    multiply(x, Form.PLAIN, w, Form.PLAIN, null, bias, y);
  }

  @Override
  public void matmul(Matrix x, Matrix w, Matrix y) {
    multiply(x, Form.PLAIN, w, Form.PLAIN, null, null, y);
  }

  @Override
  public void linearResidual(Matrix x, Matrix w, Matrix bias, Matrix residual, Matrix y) {
    multiply(x, Form.PLAIN, w, Form.PLAIN, residual, bias, y);
  }

  @Override
  public void linearInputGradient(Matrix dy, Matrix w, Matrix dx) {
    multiply(dy, Form.PLAIN, w, Form.TRANSPOSED, null, null, dx);
  }

  @Override
  public void linearWeightGradient(Matrix x, Matrix dy, Matrix dw) {
    multiply(x, Form.TRANSPOSED, dy, Form.PLAIN, null, null, dw);
  }

  private void multiply(
      Matrix a, Form aForm, Matrix b, Form bForm, Matrix c, Matrix bias, Matrix d) {
    try (Copies copies = new Copies()) {
      Memory out = copies.out(d);
      int k = aForm == Form.PLAIN ? a.cols() : a.rows();
      gpu.multiply(
          new Gemm(
              "product",
              copies.in(a),
              aForm,
              copies.in(b),
              bForm,
              c == null ? null : copies.in(c),
              bias == null ? null : copies.in(bias),
              out,
              d.rows(),
              d.cols(),
              k));
    }
  }

  @Override
  public void columnSum(Matrix x, Matrix sum) {
    try (Copies copies = new Copies()) {
      Memory slices = copies.floats(SLICES * x.cols());
      gpu.launch(
          "column_slices",
          SLICES,
          THREADS,
          32 * THREADS,
          copies.in(x),
          slices,
          (long) x.rows(),
          x.cols(),
          (long) x.cols());
      sum(slices, copies.out(sum), x.cols());
    }
  }

  private void sum(Memory slices, Memory sum, int cols) {
    gpu.launch("sum_slices", 1, THREADS, 0, slices, sum, SLICES, (long) cols);
  }

  // --- layer norm and GELU ---------------------------------------------------------------------

  @Override
  public void layerNorm(Matrix x, Matrix gain, Matrix bias, float eps, Matrix y, Matrix stats) {
    try (Copies copies = new Copies()) {
      rows(
          "layer_norm",
          x.rows(),
          copies.in(x),
          copies.in(gain),
          copies.in(bias),
          copies.out(y),
          copies.out(stats),
          (long) x.rows(),
          x.cols(),
          eps);
    }
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
    try (Copies copies = new Copies()) {
      Memory d = copies.out(dx);
      if (residual != null) {
        gpu.write(d, values(residual));
      }
      Memory gains = copies.floats(SLICES * x.cols());
      Memory biases = copies.floats(SLICES * x.cols());
      gpu.launch(
          "layer_norm_backward",
          SLICES,
          THREADS,
          THREADS / Operations.WARP * 3 * x.cols() * Float.BYTES,
          copies.in(dy),
          copies.in(x),
          copies.in(stats),
          copies.in(gain),
          d,
          gains,
          biases,
          Memory.NONE,
          (long) x.rows(),
          x.cols(),
          residual == null ? 0 : 1,
          (long) x.cols());
      sum(gains, copies.out(dGain), x.cols());
      sum(biases, copies.out(dBias), x.cols());
    }
  }

  private void rows(String kernel, int rows, Object... arguments) {
    int warps = THREADS / 32;
    gpu.launch(kernel, (rows + warps - 1) / warps, THREADS, 0, arguments);
  }

  /** The kernels take four columns at a time: some of zeros fill up the last four. */
  @Override
  public void biasGelu(Matrix h, Matrix bias, Matrix y) {
    int cols = (h.cols() + 3) / 4 * 4;
    long rows = h.rows();
    float[] ones = new float[h.rows() * cols];
    java.util.Arrays.fill(ones, 1);
    try (Copies copies = new Copies()) {
      Memory in = copies.holding(widened(h, cols));
      Memory b = copies.holding(widened(bias, cols));
      Memory out = copies.floats(ones.length);
      Memory derivative = copies.holding(ones);
      gpu.launch("bias_gelu", 2, THREADS, 0, in, b, out, rows, cols);
      gpu.launch(
          "bias_gelu_backward",
          SLICES,
          THREADS,
          32 * THREADS,
          in,
          b,
          derivative,
          copies.floats(SLICES * cols),
          rows,
          cols,
          (long) cols);
      narrow(out, cols, y);
      narrow(derivative, cols, h);
    }
  }

  private static float[] widened(Matrix x, int cols) {
    float[] wide = new float[x.rows() * cols];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = i % cols < x.cols() ? x.get(i / cols, i % cols) : 0;
    }
    return wide;
  }

  private void narrow(Memory from, int cols, Matrix x) {
    float[] wide = new float[x.rows() * cols];
    gpu.read(from, wide);
    for (int i = 0; i < wide.length; i++) {
      if (i % cols < x.cols()) {
        x.set(i / cols, i % cols, wide[i]);
      }
    }
  }

  /** No kernel takes a derivative that is kept: {@code bias_gelu_backward} computes it again. */
  @Override
  public void biasGeluBackward(Matrix dy, Matrix derivative, Matrix dBias) {
    for (int r = 0; r < dy.rows(); r++) {
      for (int c = 0; c < dy.cols(); c++) {
        dy.set(r, c, dy.get(r, c) * derivative.get(r, c));
      }
    }
    columnSum(dy, dBias);
  }

  // --- attention -------------------------------------------------------------------------------

  @Override
  public void attention(Matrix qkv, int tokens, int heads, Matrix probabilities, Matrix out) {
    try (Copies copies = new Copies()) {
      float[] logSums = attention(copies, copies.in(qkv), qkv, tokens, heads, copies.out(out));
      probabilities.fill(0);
      int width = qkv.cols() / 3 / heads;
      for (int row = 0; row < logSums.length; row++) {
        int image = row / (heads * tokens);
        int head = row / tokens % heads;
        int query = image * tokens + row % tokens;
        for (int key = 0; key < tokens; key++) {
          double score = 0;
          for (int c = head * width; c < (head + 1) * width; c++) {
            score +=
                (double) qkv.get(query, c)
                    * qkv.get(image * tokens + key, heads * width + c)
                    / Math.sqrt(width);
          }
          probabilities.set(row, key, (float) Math.exp(score - logSums[row]));
        }
      }
    }
  }

  private float[] attention(
      Copies copies, Memory in, Matrix qkv, int tokens, int heads, Memory out) {
    int images = qkv.rows() / tokens;
    Memory logSums = copies.floats(images * heads * tokens);
    Sequences sequences = new Sequences(0, images, tokens);
    Attention.forward(gpu, in, out, logSums, sequences, heads, qkv.cols() / 3);
    float[] values = new float[images * heads * tokens];
    gpu.read(logSums, values);
    return values;
  }

  @Override
  public void attentionBackward(
      Matrix qkv, int tokens, int heads, Matrix probabilities, Matrix dOut, Matrix dQkv) {
    try (Copies copies = new Copies()) {
      Memory in = copies.in(qkv);
      Memory out = copies.floats(dOut.rows() * dOut.cols());
      float[] values = attention(copies, in, qkv, tokens, heads, out);
      Memory logSums = copies.floats(values.length);
      gpu.write(logSums, values);
      Attention.backward(
          gpu,
          in,
          out,
          logSums,
          copies.in(dOut),
          copies.out(dQkv),
          copies.floats(qkv.rows() / tokens * qkv.cols()),
          new Sequences(0, qkv.rows() / tokens, tokens),
          heads,
          qkv.cols() / 3);
    }
  }

  // --- losses ----------------------------------------------------------------------------------

  @Override
  public double softmaxCrossEntropy(Matrix logits, Matrix target, float weight, Matrix dLogits) {
    try (Copies copies = new Copies()) {
      Memory losses = copies.floats(logits.rows());
      rows(
          "cross_entropy",
          logits.rows(),
          copies.in(logits),
          copies.in(target),
          copies.holding(0, 0, weight, 0),
          copies.out(dLogits),
          losses,
          copies.floats(logits.rows()),
          logits.rows(),
          logits.cols());
      return sum(copies, losses);
    }
  }

  /** Each row is the only patch, of one pixel and many channels, of an image. */
  @Override
  public double maskedSquaredError(
      Matrix prediction, Matrix target, Matrix selected, float weight, Matrix dPrediction) {
    int rows = prediction.rows();
    int cols = prediction.cols();
    float[] withClassTokens = new float[2 * rows * cols];
    float[] mask = values(selected);
    float[] values = values(prediction);
    for (int r = 0; r < rows; r++) {
      System.arraycopy(values, r * cols, withClassTokens, (2 * r + 1) * cols, cols);
      mask[r] = 1 - mask[r];
    }
    try (Copies copies = new Copies()) {
      Memory in = copies.floats(withClassTokens.length);
      gpu.write(in, withClassTokens);
      Memory masks = copies.floats(rows);
      gpu.write(masks, mask);
      Memory losses = copies.floats(2 * rows);
      Memory d = copies.floats(withClassTokens.length);
      rows(
          "pixel_loss",
          2 * rows,
          in,
          copies.in(target),
          masks,
          copies.holding(0, weight, 0, 0),
          d,
          losses,
          rows,
          cols,
          1,
          1,
          0,
          1f);
      gpu.read(d, withClassTokens);
      for (int i = 0; i < values.length; i++) {
        int row = i / cols;
        dPrediction.set(row, i % cols, withClassTokens[(2 * row + 1) * cols + i % cols]);
      }
      return sum(copies, losses);
    }
  }

  private double sum(Copies copies, Memory x) {
    int blocks = 2;
    Memory parts = copies.of(Memory.Type.DOUBLE, 3 * blocks);
    Memory metrics = copies.of(Memory.Type.DOUBLE, 3);
    gpu.launch("partial_sums", blocks, THREADS, 16, x, parts, x.count());
    gpu.launch("step_metrics", 1, 96, 0, parts, copies.holding(0, 0, 0, 0), metrics, blocks);
    double[] sums = new double[3];
    gpu.read(metrics, sums);
    return sums[0];
  }

  // --- optimizer -------------------------------------------------------------------------------

  @Override
  public void addScaled(Matrix x, double factor, Matrix y) {
    throw new UnsupportedOperationException("adam_w decays and subtracts itself");
  }

  @Override
  public void adamW(Matrix gradient, Matrix m, Matrix v, AdamStep step) {
    int n = gradient.cols();
    int chunks = (n + Parameters.CHUNK - 1) / Parameters.CHUNK;
    try (Copies copies = new Copies()) {
      Memory p = copies.floats(chunks * Parameters.CHUNK);
      Memory one = copies.floats(1);
      gpu.write(one, new float[] {1});
      Memory rules = copies.of(Memory.Type.INT, 4);
      gpu.write(rules, new int[] {0, Float.floatToRawIntBits(1), 0, 0});
      float first = (float) (1 / (1 - Math.pow(step.beta1(), step.step())));
      float second = (float) (1 / (1 - Math.pow(step.beta2(), step.step())));
      gpu.launch(
          "adamw",
          chunks,
          THREADS,
          0,
          p,
          p,
          copies.inOut(m, chunks * Parameters.CHUNK),
          copies.inOut(v, chunks * Parameters.CHUNK),
          copies.in(gradient, chunks * Parameters.CHUNK),
          one,
          copies.of(Memory.Type.INT, chunks),
          rules,
          copies.holding((float) step.lr(), first, second, 0),
          (float) step.beta1(),
          (float) step.beta2(),
          (float) step.eps());
      float[] moved = new float[n];
      gpu.read(p, moved);
      for (int i = 0; i < n; i++) {
        gradient.set(0, i, -moved[i]);
      }
    }
  }

  // --- copies ----------------------------------------------------------------------------------

  private static float[] values(Matrix matrix) {
    float[] values = new float[matrix.rows() * matrix.cols()];
    for (int i = 0; i < values.length; i++) {
      values[i] = matrix.get(i / matrix.cols(), i % matrix.cols());
    }
    return values;
  }

  /** Memory for one call; what is written to copies of outputs is copied back in the end. */
  private final class Copies implements AutoCloseable {
    private record Output(Matrix matrix, Memory copy) {}

    private final List<Memory> all = new ArrayList<>();
    private final List<Output> outputs = new ArrayList<>();

    Memory of(Memory.Type type, long count) {
      Memory memory = gpu.allocate(type, count);
      all.add(memory);
      return memory;
    }

    Memory floats(int count) {
      return of(Memory.Type.FLOAT, count);
    }

    Memory holding(float... values) {
      Memory memory = floats(values.length);
      gpu.write(memory, values);
      return memory;
    }

    Memory in(Matrix matrix) {
      return in(matrix, matrix.rows() * matrix.cols());
    }

    Memory in(Matrix matrix, int count) {
      Memory memory = floats(count);
      gpu.write(memory, values(matrix));
      return memory;
    }

    Memory out(Matrix matrix) {
      Memory memory = floats(matrix.rows() * matrix.cols());
      outputs.add(new Output(matrix, memory));
      return memory;
    }

    Memory inOut(Matrix matrix, int count) {
      Memory memory = in(matrix, count);
      outputs.add(new Output(matrix, memory));
      return memory;
    }

    @Override
    public void close() {
      for (Output output : outputs) {
        Matrix matrix = output.matrix;
        float[] values = new float[matrix.rows() * matrix.cols()];
        gpu.read(output.copy, values);
        for (int i = 0; i < values.length; i++) {
          matrix.set(i / matrix.cols(), i % matrix.cols(), values[i]);
        }
      }
      all.forEach(gpu::free);
    }
  }
}
