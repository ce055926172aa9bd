package org.mixtraining.vit;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.mixtraining.kernels.Kernels;
import org.mixtraining.kernels.Mat;
import org.mixtraining.vit.StochasticDepth.Branch;
import org.mixtraining.vit.TokenLayout.Chunk;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The passes of {@link EncoderBlock}.
 *
 * <p>Both passes run chunk by chunk. The backward pass leaves each chunk's row gradients in shared
 * memory; the weight gradients are then one product each over all rows, cut by columns or rows, so
 * their bits depend neither on the chunks nor on the threads, and no gradient is ever summed across
 * threads.
 */
final class EncoderBlockLayer extends TokenLayer<EncoderBlock> {
  private static final long serialVersionUID = 1L;

  /** Columns or rows of a weight gradient that one task computes. */
  private static final int TILE = 384;

  private transient float[][] factors; // of the branches of the images of the next training step

  EncoderBlockLayer(NeuralNetConfiguration conf, DataType dataType) {
    super(conf, dataType);
  }

  /** What the forward pass keeps for the backward pass; rows as in the input. */
  private record Saved(
      Mat norm1, // [rows, dim]
      Mat stats1, // [rows, 2]
      Mat qkv, // [rows, 3·dim]
      Mat probabilities, // flat: per image and head [tokens, stride]
      Mat attended, // [rows, dim]
      Mat middle, // [rows, dim], after the attention's residual
      Mat norm2, // [rows, dim]
      Mat stats2, // [rows, 2]
      Mat derivative, // [rows, 4·dim], of GELU
      Mat hidden // [rows, 4·dim]
      ) {}

  /** Where activations are kept: with the layer for training, in shared memory for inference. */
  private interface Memory {
    Mat of(String name, int rows, int cols);
  }

  private Saved saved(TokenLayout layout, Memory memory) {
    int rows = layout.rows();
    int dim = layerConf().dim();
    int attention = Math.toIntExact(layout.attentionSize(layerConf().heads()));
    return new Saved(
        memory.of("norm1", rows, dim),
        memory.of("stats1", rows, 2),
        memory.of("qkv", rows, 3 * dim),
        memory.of("probabilities", 1, attention),
        memory.of("attended", rows, dim),
        memory.of("middle", rows, dim),
        memory.of("norm2", rows, dim),
        memory.of("stats2", rows, 2),
        memory.of("derivative", rows, ViT.MLP_RATIO * dim),
        memory.of("hidden", rows, ViT.MLP_RATIO * dim));
  }

  private Mat probabilities(Saved s, Chunk chunk) {
    int stride = Kernels.probabilityStride(chunk.tokens());
    int rows = (chunk.toRow() - chunk.fromRow()) * layerConf().heads();
    return s.probabilities.slice(Math.toIntExact(chunk.attention()), rows, stride);
  }

  /** Draws what the images of the next training step skip. */
  void drop(List<Long> ids, int epoch) {
    String name = layerConf().getLayerName();
    factors = StochasticDepth.factors(conf().getSeed(), epoch, ids, name, layerConf().dropPath());
  }

  private StochasticDepth depth(TokenLayout layout, boolean training) {
    if (!training || layerConf().dropPath() == 0) {
      return new StochasticDepth(layout, null);
    }
    if (factors == null) {
      throw new IllegalStateException(
          "stochastic depth must know the images of a training step: take it by Replica.fit");
    }
    return new StochasticDepth(layout, factors);
  }

  // --- forward ---------------------------------------------------------------------------------

  @Override
  public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
    Mat x = view(input);
    INDArray output = output(workspaces, x.rows(), layerConf().dim());
    Mat y = Mat.of(output);
    TokenLayout layout = TokenLayout.ofRows(vit(), layerConf().sight(), x.rows());
    Saved s = saved(layout, training ? this::save : TokenLayer::scratch);
    StochasticDepth depth = depth(layout, training);
    forEach(layout.chunks(layerConf().heads()), (k, chunk) -> forward(k, chunk, x, s, y, depth));
    return output;
  }

  private void forward(
      Kernels k, Chunk chunk, Mat input, Saved s, Mat output, StochasticDepth depth) {
    int from = chunk.fromRow();
    int to = chunk.toRow();
    Mat x = input.rows(from, to);
    Mat middle = s.middle.rows(from, to);
    Mat hidden = s.hidden.rows(from, to);
    Mat derivative = s.derivative.rows(from, to);

    // attention
    Mat norm1 = s.norm1.rows(from, to);
    Mat qkv = s.qkv.rows(from, to);
    Mat attended = s.attended.rows(from, to);
    norm(k, x, "norm1", norm1, s.stats1.rows(from, to));
    k.linear(norm1, parameter("qkv.weight"), parameter("qkv.bias"), qkv);
    k.attention(qkv, chunk.tokens(), layerConf().heads(), probabilities(s, chunk), attended);
    k.linearResidual(attended, parameter("proj.weight"), parameter("proj.bias"), x, middle);
    depth.weigh(chunk, Branch.ATTENTION, x, middle);

    // mlp
    Mat norm2 = s.norm2.rows(from, to);
    norm(k, middle, "norm2", norm2, s.stats2.rows(from, to));
    k.matmul(norm2, parameter("fc1.weight"), derivative);
    k.biasGelu(derivative, parameter("fc1.bias"), hidden);
    Mat y = output.rows(from, to);
    k.linearResidual(hidden, parameter("fc2.weight"), parameter("fc2.bias"), middle, y);
    depth.weigh(chunk, Branch.MLP, middle, y);
  }

  private void norm(Kernels k, Mat x, String name, Mat y, Mat stats) {
    k.layerNorm(x, parameter(name + ".gain"), parameter(name + ".bias"), ViT.EPSILON, y, stats);
  }

  // --- backward --------------------------------------------------------------------------------

  /** Row gradients of all chunks, in memory that every block reuses. */
  private record RowGradients(
      Mat qkv, // [rows, 3·dim]
      Mat middle, // [rows, dim]
      Mat hidden, // [rows, 4·dim]
      Mat working, // [rows, dim]
      Mat mlp, // [rows, dim], by the mlp's output
      Mat attention // [rows, dim], by the attention's output
      ) {}

  @Override
  public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
    int dim = layerConf().dim();
    Mat x = view(input);
    Mat dy = view(epsilon);
    INDArray inputGradient = inputGradient(workspaces, dy.rows(), dim);
    Mat dx = Mat.of(inputGradient);
    TokenLayout layout = TokenLayout.ofRows(vit(), layerConf().sight(), dy.rows());
    Saved s = saved(layout, this::save);
    StochasticDepth depth = depth(layout, true);
    Mat dMiddle = scratch("d-middle", dy.rows(), dim);
    RowGradients d =
        new RowGradients(
            scratch("d-qkv", dy.rows(), 3 * dim),
            dMiddle,
            scratch("d-hidden", dy.rows(), ViT.MLP_RATIO * dim),
            scratch("d-working", dy.rows(), dim),
            depth.room(dy, "d-mlp"),
            depth.room(dMiddle, "d-attention"));

    List<Chunk> chunks = layout.chunks(layerConf().heads());
    int vectors = (int) gradientViews.get(PackedParameters.VECTORS).length();
    Mat partial = scratch("d-vectors", chunks.size(), vectors);
    forEach(
        IntStream.range(0, chunks.size()).boxed().toList(),
        (k, i) -> {
          Vectors own = new Vectors(partial.rows(i, i + 1));
          backward(k, chunks.get(i), x, s, dy, d, dx, own, depth);
        });

    weightGradients(s, d);
    kernels().columnSum(partial, Mat.of(gradientViews.get(PackedParameters.VECTORS)));
    return new Pair<>(gradients(), inputGradient);
  }

  /** One chunk's share of the gradients of the block's vectors, laid out as the vectors are. */
  private final class Vectors {
    private final Mat packed;

    Vectors(Mat packed) {
      this.packed = packed;
    }

    Mat of(String name) {
      int at = 0;
      for (Tensor tensor : layerConf().tensors()) {
        if (tensor.name().equals(name)) {
          return packed.slice(at, 1, tensor.cols());
        }
        at += tensor.decays() ? 0 : tensor.size();
      }
      throw new IllegalArgumentException(name);
    }
  }

  private void backward(
      Kernels k,
      Chunk chunk,
      Mat input,
      Saved s,
      Mat dOutput,
      RowGradients d,
      Mat dInput,
      Vectors vectors,
      StochasticDepth depth) {
    int from = chunk.fromRow();
    int to = chunk.toRow();
    Mat dy = dOutput.rows(from, to);
    Mat dHidden = d.hidden.rows(from, to);
    Mat dMiddle = d.middle.rows(from, to);
    Mat dQkv = d.qkv.rows(from, to);
    Mat working = d.working.rows(from, to);

    // mlp
    Mat dMlp = d.mlp.rows(from, to);
    depth.scale(chunk, Branch.MLP, dy, dMlp);
    k.columnSum(dMlp, vectors.of("fc2.bias"));
    k.linearInputGradient(dMlp, parameter("fc2.weight"), dHidden);
    k.multiply(dHidden, s.derivative.rows(from, to));
    k.columnSum(dHidden, vectors.of("fc1.bias"));
    k.linearInputGradient(dHidden, parameter("fc1.weight"), working);
    Mat middle = s.middle.rows(from, to);
    normBackward(k, working, middle, s.stats2.rows(from, to), "norm2", dy, dMiddle, vectors);

    // attention
    Mat dAttention = d.attention.rows(from, to);
    depth.scale(chunk, Branch.ATTENTION, dMiddle, dAttention);
    k.columnSum(dAttention, vectors.of("proj.bias"));
    k.linearInputGradient(dAttention, parameter("proj.weight"), working);
    Mat qkv = s.qkv.rows(from, to);
    int heads = layerConf().heads();
    k.attentionBackward(qkv, chunk.tokens(), heads, probabilities(s, chunk), working, dQkv);
    k.columnSum(dQkv, vectors.of("qkv.bias"));
    k.linearInputGradient(dQkv, parameter("qkv.weight"), working);
    Mat x = input.rows(from, to);
    Mat dx = dInput.rows(from, to);
    normBackward(k, working, x, s.stats1.rows(from, to), "norm1", dMiddle, dx, vectors);
  }

  private void normBackward(
      Kernels k, Mat dy, Mat x, Mat stats, String name, Mat residual, Mat dx, Vectors vectors) {
    Mat gain = parameter(name + ".gain");
    Mat dGain = vectors.of(name + ".gain");
    Mat dBias = vectors.of(name + ".bias");
    k.layerNormBackward(dy, x, stats, gain, residual, dx, dGain, dBias);
  }

  /** A weight gradient, or some rows or columns of one: dw[in, out] = xᵀ·dy. */
  private record Product(Mat x, Mat dy, Mat dw) {}

  private void weightGradients(Saved s, RowGradients d) {
    List<Product> products = new ArrayList<>();
    byInput(products, s.hidden, d.mlp, gradient("fc2.weight"));
    byOutput(products, s.norm2, d.hidden, gradient("fc1.weight"));
    byOutput(products, s.norm1, d.qkv, gradient("qkv.weight"));
    byOutput(products, s.attended, d.attention, gradient("proj.weight"));
    forEach(products, (k, p) -> k.linearWeightGradient(p.x, p.dy, p.dw));
  }

  private static void byOutput(List<Product> products, Mat x, Mat dy, Mat dw) {
    for (int from = 0; from < dw.cols(); from += TILE) {
      int to = Math.min(from + TILE, dw.cols());
      products.add(new Product(x, dy.cols(from, to), dw.cols(from, to)));
    }
  }

  private static void byInput(List<Product> products, Mat x, Mat dy, Mat dw) {
    for (int from = 0; from < dw.rows(); from += TILE) {
      int to = Math.min(from + TILE, dw.rows());
      products.add(new Product(x.cols(from, to), dy, dw.rows(from, to)));
    }
  }
}
