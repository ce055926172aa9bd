package org.mixtraining.vit.layers;

import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.mixtraining.kernels.Kernels;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.vit.EncoderBlock;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.layers.StochasticDepth.Branch;
import org.mixtraining.vit.layers.TokenLayout.Chunk;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The passes of {@link EncoderBlock}, chunk by chunk: a chunk's weight gradients are computed while
 * its rows are still in the caches.
 */
public final class EncoderBlockLayer extends TokenLayer<EncoderBlock> {
  private static final long serialVersionUID = 1L;

  public EncoderBlockLayer(NeuralNetConfiguration conf, DataType dataType) {
    super(conf, dataType);
  }

  /** What the forward pass keeps for the backward pass; rows as in the input. */
  private record Saved(
      Matrix norm1, // [rows, dim]
      Matrix stats1, // [rows, 2]
      Matrix qkv, // [rows, 3·dim]
      Matrix probabilities, // flat: per image and head [tokens, stride]
      Matrix attended, // [rows, dim]
      Matrix middle, // [rows, dim], after the attention's residual
      Matrix norm2, // [rows, dim]
      Matrix stats2, // [rows, 2]
      Matrix derivative, // [rows, 4·dim], of GELU
      Matrix hidden // [rows, 4·dim]
      ) {}

  /** Where activations are kept: with the layer for training, in shared memory for inference. */
  private interface Memory {
    Matrix of(String name, int rows, int cols);
  }

  private Saved saved(TokenLayout layout, Memory memory) {
    int rows = layout.rows();
    int dim = layerConf().dim();
    int hidden = parameter("fc1.weight").cols();
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
        memory.of("derivative", rows, hidden),
        memory.of("hidden", rows, hidden));
  }

  private Matrix probabilities(Saved s, Chunk chunk) {
    int stride = Kernels.probabilityStride(chunk.tokens());
    int rows = (chunk.toRow() - chunk.fromRow()) * layerConf().heads();
    return s.probabilities.slice(Math.toIntExact(chunk.attention()), rows, stride);
  }

  /** What the images of a pass skip. */
  private StochasticDepth depth(TokenLayout layout, boolean training) {
    double rate = layerConf().dropPath();
    if (!training || rate == 0) {
      return new StochasticDepth(layout, null);
    }
    long[] ids = context().ids();
    if (ids == null) {
      throw new IllegalStateException(
          "stochastic depth must know the images of a training step: take it by Replica.fit");
    }
    String name = layerConf().getLayerName();
    return new StochasticDepth(
        layout, StochasticDepth.factors(conf().getSeed(), context().epoch(), ids, name, rate));
  }

  // --- forward ---------------------------------------------------------------------------------

  @Override
  public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
    Matrix x = view(input);
    INDArray output = output(workspaces, x.rows(), layerConf().dim());
    Matrix y = Matrix.of(output);
    TokenLayout layout = TokenLayout.ofRows(vit(), layerConf().encoderInput(), x.rows());
    Saved s = saved(layout, training ? this::save : TokenLayer::scratch);
    StochasticDepth depth = depth(layout, training);
    forEach(
        layout.chunks(layerConf().heads()),
        (worker, chunk) -> forward(worker.kernels(), chunk, x, s, y, depth));
    return output;
  }

  private void forward(
      Kernels k, Chunk chunk, Matrix input, Saved s, Matrix output, StochasticDepth depth) {
    int from = chunk.fromRow();
    int to = chunk.toRow();
    Matrix x = input.rows(from, to);
    Matrix middle = s.middle.rows(from, to);
    Matrix hidden = s.hidden.rows(from, to);
    Matrix derivative = s.derivative.rows(from, to);

    // attention
    Matrix norm1 = s.norm1.rows(from, to);
    Matrix qkv = s.qkv.rows(from, to);
    Matrix attended = s.attended.rows(from, to);
    norm(k, x, "norm1", norm1, s.stats1.rows(from, to));
    k.linear(norm1, parameter("qkv.weight"), parameter("qkv.bias"), qkv);
    k.attention(qkv, chunk.tokens(), layerConf().heads(), probabilities(s, chunk), attended);
    k.linearResidual(attended, parameter("proj.weight"), parameter("proj.bias"), x, middle);
    depth.weigh(chunk, Branch.ATTENTION, x, middle);

    // mlp
    Matrix norm2 = s.norm2.rows(from, to);
    norm(k, middle, "norm2", norm2, s.stats2.rows(from, to));
    k.linearGelu(norm2, parameter("fc1.weight"), parameter("fc1.bias"), derivative, hidden);
    Matrix y = output.rows(from, to);
    k.linearResidual(hidden, parameter("fc2.weight"), parameter("fc2.bias"), middle, y);
    depth.weigh(chunk, Branch.MLP, middle, y);
  }

  private void norm(Kernels k, Matrix x, String name, Matrix y, Matrix stats) {
    k.layerNorm(x, parameter(name + ".gain"), parameter(name + ".bias"), ViT.EPSILON, y, stats);
  }

  // --- backward --------------------------------------------------------------------------------

  @Override
  public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
    Matrix x = view(input);
    Matrix dy = view(epsilon);
    INDArray inputGradient = inputGradient(workspaces, dy.rows(), layerConf().dim());
    Matrix dx = Matrix.of(inputGradient);
    TokenLayout layout = TokenLayout.ofRows(vit(), layerConf().encoderInput(), dy.rows());
    Saved s = saved(layout, this::save);
    StochasticDepth depth = depth(layout, true);
    List<Chunk> chunks = layout.chunks(layerConf().heads());
    PartialGradients partial = partialGradients(chunks.size());
    forEach(chunks, (worker, chunk) -> backward(worker, chunk, x, s, dy, depth, partial, dx));
    partial.sum();
    return new Pair<>(gradients(), inputGradient);
  }

  private void backward(
      Worker worker,
      Chunk chunk,
      Matrix input,
      Saved s,
      Matrix dOutput,
      StochasticDepth depth,
      PartialGradients partial,
      Matrix dInput) {
    Kernels k = worker.kernels();
    UnaryOperator<Matrix> own = all -> all.rows(chunk.fromRow(), chunk.toRow());
    Function<String, Matrix> gradient = name -> partial.of(chunk.index(), name);
    Matrix dy = own.apply(dOutput);
    int rows = dy.rows();
    int dim = layerConf().dim();
    Matrix dHidden = worker.scratch("d-hidden", rows, s.hidden.cols());
    Matrix dMiddle = worker.scratch("d-middle", rows, dim);
    Matrix dQkv = worker.scratch("d-qkv", rows, 3 * dim);
    Matrix working = worker.scratch("d-working", rows, dim);

    // mlp
    Matrix dMlp = depth.scaled(worker, chunk, Branch.MLP, dy);
    linearBackward(k, own.apply(s.hidden), "fc2", dMlp, dHidden, gradient);
    k.linearGeluBackward(
        own.apply(s.norm2),
        parameter("fc1.weight"),
        own.apply(s.derivative),
        dHidden,
        working,
        gradient.apply("fc1.weight"),
        gradient.apply("fc1.bias"));
    k.layerNormBackward(
        working,
        own.apply(s.middle),
        own.apply(s.stats2),
        parameter("norm2.gain"),
        dy,
        dMiddle,
        gradient.apply("norm2.gain"),
        gradient.apply("norm2.bias"));

    // attention
    Matrix dAttention = depth.scaled(worker, chunk, Branch.ATTENTION, dMiddle);
    linearBackward(k, own.apply(s.attended), "proj", dAttention, working, gradient);
    k.attentionBackward(
        own.apply(s.qkv),
        chunk.tokens(),
        layerConf().heads(),
        probabilities(s, chunk),
        working,
        dQkv);
    linearBackward(k, own.apply(s.norm1), "qkv", dQkv, working, gradient);
    k.layerNormBackward(
        working,
        own.apply(input),
        own.apply(s.stats1),
        parameter("norm1.gain"),
        dMiddle,
        own.apply(dInput),
        gradient.apply("norm1.gain"),
        gradient.apply("norm1.bias"));
  }

  private void linearBackward(
      Kernels k, Matrix x, String name, Matrix dy, Matrix dx, Function<String, Matrix> gradient) {
    Matrix weight = parameter(name + ".weight");
    Matrix dWeight = gradient.apply(name + ".weight");
    k.linearBackward(x, weight, dy, dx, dWeight, gradient.apply(name + ".bias"));
  }
}
