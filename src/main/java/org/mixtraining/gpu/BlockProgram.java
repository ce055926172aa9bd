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
  private final MlpProgram mlp;
  private final Memory output;

  private final Memory branch; // before it is weighed, shared by all blocks
  private final Gradients gradients; // null: it only goes forward

  /**
   * What all blocks share on the way back.
   *
   * @param d gradient of the residual stream
   * @param dBranch the same where branches are not weighed
   * @param ofImages [images of all sequences, 3 · dim], the sums of dQkv over their tokens
   */
  private record Gradients(Memory d, Memory dBranch, Memory dNorm, Memory dQkv, Memory ofImages) {

    static Gradients of(
        StepContext bench, List<Sequences> sequences, Transformer stack, boolean weighed) {
      long rows = Sequences.rows(sequences);
      int dim = stack.dim();
      Memory d = bench.matrix("d", rows * dim);
      return new Gradients(
          d,
          weighed ? bench.matrix("d-branch", rows * dim) : d,
          bench.matrix("d-norm", rows * dim),
          bench.matrix("d-qkv", rows * 3 * dim),
          bench.floats("d-qkv-of-images", images(sequences) * 3 * dim));
    }
  }

  private static long images(List<Sequences> sequences) {
    return sequences.stream().mapToLong(Sequences::images).sum();
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
    Gradients gradients = Gradients.of(bench, sequences, stack, factors != null);
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
    rows = Sequences.rows(sequences);
    long all = rows;
    norm1 = bench.matrix(memory + "norm1", all * dim);
    stats1 = bench.floats(memory + "stats1", all * 2);
    qkv = bench.matrix(memory + "qkv", all * 3 * dim);
    logSums = bench.floats(memory + "log-sums", all * heads);
    attended = bench.matrix(memory + "attended", all * dim);
    middle = bench.matrix(memory + "middle", all * dim);
    norm2 = bench.matrix(memory + "norm2", all * dim);
    stats2 = bench.floats(memory + "stats2", all * 2);
    mlp = new MlpProgram(bench, this.layer, memory, rows, stack, gradients != null);
    output = bench.matrix(memory + "output", all * dim);
    branch = factors == null ? null : bench.matrix("branch", all * dim);
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
      Attention.forward(ops.gpu(), qkv, attended, logSums, s, heads, dim);
    }
    add(attended, "proj", x, 0, middle);

    // mlp
    ops.norm(middle, layer + "norm2.", norm2, stats2, rows);
    add(mlp.forward(norm2), "fc2", middle, 1, output);
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

  /** Carries d through all blocks, from the last one's output to the first one's input. */
  static void backward(List<BlockProgram> blocks) {
    for (int i = blocks.size() - 1; i >= 0; i--) {
      blocks.get(i).backward(lastBias(blocks.subList(0, i)));
    }
  }

  /**
   * The bias that was added to the last block's output, if its gradient is the column sums of d;
   * else null, also where there is no block.
   */
  static String lastBias(List<BlockProgram> blocks) {
    return blocks.isEmpty() ? null : blocks.get(blocks.size() - 1).addedBias("fc2.bias");
  }

  /** One on a branch; null where it is weighed, and its gradient with it. */
  private String addedBias(String bias) {
    return factors == null ? layer + bias : null;
  }

  /**
   * @param below the bias whose gradient is the column sums of d at the input; may be null
   */
  private void backward(String below) {
    // mlp
    weigh(1, "fc2.bias");
    mlp.backward(norm2, gradients.dBranch, gradients.dNorm);
    normBackward("norm2.", middle, stats2, addedBias("proj.bias"));

    // attention
    weigh(0, "proj.bias");
    ops.linearBackward(attended, layer + "proj.weight", gradients.dBranch, gradients.dNorm, rows);
    attentionBackward();
    ops.linearBackward(norm1, layer + "qkv.weight", gradients.dQkv, gradients.dNorm, rows);
    normBackward("norm1.", x, stats1, below);
  }

  /** From dNorm to dQkv, and the gradient of the bias that was added to qkv. */
  private void attentionBackward() {
    Gradients g = gradients;
    long image = 0;
    for (Sequences s : sequences) {
      Memory sums = g.ofImages.from(image * 3 * dim).first(s.images() * 3L * dim);
      Attention.backward(ops.gpu(), qkv, attended, logSums, g.dNorm, g.dQkv, sums, s, heads, dim);
      image += s.images();
    }
    ops.biasGradientOfImages(g.ofImages, layer + "qkv.bias", image);
  }

  /**
   * dBranch = factor · d, and the gradient of the branch's bias; it is d where nothing is weighed.
   */
  private void weigh(int which, String bias) {
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
    ops.biasGradient(gradients.dBranch, layer + bias, rows);
  }

  private void normBackward(String norm, Memory from, Memory stats, String below) {
    Gradients g = gradients;
    ops.normBackward(g.dNorm, from, layer + norm, stats, g.d, below, Residual.ADD, rows);
  }
}
