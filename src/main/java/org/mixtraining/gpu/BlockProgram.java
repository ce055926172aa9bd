package org.mixtraining.gpu;

import java.util.List;
import org.mixtraining.gpu.Operations.Residual;
import org.mixtraining.vit.Architecture.Transformer;
import org.mixtraining.vit.layers.Sequences;

/**
 * A pre-norm transformer block, of the encoder or of the decoder: {@code x +=
 * proj(attention(norm1(x)))}, {@code x += fc2(gelu(fc1(norm2(x))))}.
 *
 * <p>Backward, the gradient of the residual stream is updated in place, block by block.
 */
final class BlockProgram {

  private final Operations ops;
  private final String layer;
  private final List<Sequences> sequences;
  private final Memory factors; // on both branches, [2, images]; null: nothing is left out
  private final int dim;
  private final int hiddenDim;
  private final int heads;
  private final int rows;

  // kept for the backward pass; [rows, dim] unless said
  private final Memory x;
  private final Memory norm1;
  private final Memory stats1; // [rows, 2]
  private final Memory qkv; // [rows, 3 · dim]
  private final Memory logSums; // [images · heads · tokens], sequences one after another
  private final Memory attended;
  private final Memory middle; // after the attention's residual
  private final Memory norm2;
  private final Memory stats2; // [rows, 2]
  private final Memory preHidden; // [rows, 4 · dim], before bias and GELU
  private final Memory hidden; // [rows, 4 · dim]
  private final Memory output;

  private final Memory branch; // before it is weighed, shared by all blocks
  private final Gradients gradients; // null: it only goes forward

  /**
   * What all blocks share on the way back.
   *
   * @param d gradient of the residual stream
   * @param rounded its copy for matrix products
   * @param dBranch the same as {@code rounded} where branches are not weighed
   */
  private record Gradients(
      Memory d, Memory rounded, Memory dBranch, Memory dNorm, Memory dQkv, Memory dHidden) {

    static Gradients of(StepContext bench, long rows, Transformer stack, boolean weighed) {
      int dim = stack.dim();
      Memory d = bench.floats("d", rows * dim);
      Memory rounded = bench.rounded("d-rounded", d);
      return new Gradients(
          d,
          rounded,
          weighed ? bench.matrix("d-branch", rows * dim) : rounded,
          bench.matrix("d-norm", rows * dim),
          bench.matrix("d-qkv", rows * 3 * dim),
          bench.matrix("d-hidden", rows * stack.hidden()));
    }
  }

  /**
   * One that keeps what its backward pass needs.
   *
   * @param x [rows, dim]
   * @param factors of branches, [2, images]; null: all of them are taken as they are
   */
  static BlockProgram training(
      StepContext bench,
      String layer,
      Memory x,
      Transformer stack,
      List<Sequences> sequences,
      Memory factors) {
    long rows = Sequences.rows(sequences);
    Gradients gradients = Gradients.of(bench, rows, stack, factors != null);
    return new BlockProgram(bench, layer, layer + ".", x, stack, sequences, factors, gradients);
  }

  /**
   * One that only goes forward, and shares its memory with all others that do.
   *
   * @param x [rows, dim]
   */
  static BlockProgram predicting(
      StepContext bench, String layer, Memory x, Transformer stack, List<Sequences> sequences) {
    return new BlockProgram(bench, layer, "block.", x, stack, sequences, null, null);
  }

  private BlockProgram(
      StepContext bench,
      String layer,
      String memory,
      Memory x,
      Transformer stack,
      List<Sequences> sequences,
      Memory factors,
      Gradients gradients) {
    this.ops = bench.operations();
    this.layer = layer + ".";
    this.sequences = sequences;
    this.factors = factors;
    this.gradients = gradients;
    heads = stack.heads();
    this.x = x;
    dim = stack.dim();
    hiddenDim = stack.hidden();
    rows = Sequences.rows(sequences);
    long all = rows;
    norm1 = bench.matrix(memory + "norm1", all * dim);
    stats1 = bench.floats(memory + "stats1", all * 2);
    qkv = bench.matrix(memory + "qkv", all * 3 * dim);
    logSums = bench.floats(memory + "log-sums", all * heads);
    attended = bench.matrix(memory + "attended", all * dim);
    middle = bench.floats(memory + "middle", all * dim);
    norm2 = bench.matrix(memory + "norm2", all * dim);
    stats2 = bench.floats(memory + "stats2", all * 2);
    preHidden = bench.matrix(memory + "pre-hidden", all * hiddenDim);
    hidden = bench.matrix(memory + "hidden", all * hiddenDim);
    output = bench.floats(memory + "output", all * dim);
    branch = factors == null ? null : bench.floats("branch", all * dim);
  }

  /** [rows, dim]. */
  Memory output() {
    return output;
  }

  void forward() {
    // attention
    ops.norm(x, layer + "norm1.", norm1, stats1, rows);
    ops.linear(norm1, layer + "qkv.weight", layer + "qkv.bias", null, qkv, rows);
    for (Sequences s : sequences) {
      ops.attention(qkv, attended, logSums, s, heads, dim);
    }
    add(attended, "proj", x, 0, middle);

    // mlp
    ops.norm(middle, layer + "norm2.", norm2, stats2, rows);
    ops.linear(norm2, layer + "fc1.weight", null, null, preHidden, rows);
    gelu("bias_gelu", hidden);
    add(hidden, "fc2", middle, 1, output);
  }

  private void gelu(String kernel, Memory to) {
    Memory bias = ops.parameters().values(layer + "fc1.bias");
    ops.fours(kernel, (long) rows * hiddenDim, preHidden, bias, to, (long) rows, hiddenDim);
  }

  /** to = residual + factor · (from · weight + bias). */
  private void add(Memory from, String linear, Memory residual, int which, Memory to) {
    String weight = layer + linear + ".weight";
    String bias = layer + linear + ".bias";
    if (factors == null) {
      ops.linear(from, weight, bias, residual, to, rows);
      return;
    }
    ops.linear(from, weight, bias, null, branch, rows);
    for (Sequences s : sequences) {
      long at = (long) s.firstRow() * dim;
      Memory factor = factors.from((long) which * s.images());
      ops.fours(
          "add_branch",
          (long) s.rows() * dim,
          residual.from(at),
          branch.from(at),
          factor,
          to.from(at),
          (long) s.rows(),
          s.tokens(),
          dim);
    }
  }

  /** Carries d and its copy from the output to the input. */
  void backward() {
    // mlp
    weigh(1);
    ops.biasGradient(gradients.dBranch, layer + "fc2.bias", rows);
    ops.linearBackward(hidden, layer + "fc2.weight", gradients.dBranch, gradients.dHidden, rows);
    gelu("bias_gelu_backward", gradients.dHidden);
    ops.biasGradient(gradients.dHidden, layer + "fc1.bias", rows);
    ops.linearBackward(norm2, layer + "fc1.weight", gradients.dHidden, gradients.dNorm, rows);
    normBackward("norm2.", middle, stats2);

    // attention
    weigh(0);
    ops.biasGradient(gradients.dBranch, layer + "proj.bias", rows);
    ops.linearBackward(attended, layer + "proj.weight", gradients.dBranch, gradients.dNorm, rows);
    for (Sequences s : sequences) {
      ops.attentionBackward(qkv, attended, logSums, gradients.dNorm, gradients.dQkv, s, heads, dim);
    }
    ops.biasGradient(gradients.dQkv, layer + "qkv.bias", rows);
    ops.linearBackward(norm1, layer + "qkv.weight", gradients.dQkv, gradients.dNorm, rows);
    normBackward("norm1.", x, stats1);
  }

  /** dBranch = factor · d; it is d's copy where there are no factors. */
  private void weigh(int which) {
    if (factors == null) {
      return;
    }
    for (Sequences s : sequences) {
      long at = (long) s.firstRow() * dim;
      ops.fours(
          "scale_branch",
          (long) s.rows() * dim,
          gradients.d.from(at),
          factors.from((long) which * s.images()),
          gradients.dBranch.from(at),
          (long) s.rows(),
          s.tokens(),
          dim);
    }
  }

  private void normBackward(String norm, Memory from, Memory stats) {
    Gradients g = gradients;
    ops.normBackward(g.dNorm, from, layer + norm, stats, g.d, g.rounded, Residual.ADD, rows);
  }
}
