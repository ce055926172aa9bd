package org.mixtraining.vit.layers;

import java.util.List;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.vit.TokenNorm;
import org.mixtraining.vit.ViT;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The passes of {@link TokenNorm}. */
public final class TokenNormLayer extends TokenLayer<TokenNorm> {
  private static final long serialVersionUID = 1L;

  public TokenNormLayer(NeuralNetConfiguration conf, DataType dataType) {
    super(conf, dataType);
  }

  @Override
  public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
    Matrix x = view(input);
    INDArray output = output(workspaces, x.rows(), x.cols());
    Matrix y = Matrix.of(output);
    Matrix stats = save("stats", x.rows(), 2);
    forEach(
        Span.of(x.rows(), 1),
        (worker, span) ->
            worker
                .kernels()
                .layerNorm(
                    span.rows(x, 1),
                    parameter("gain"),
                    parameter("bias"),
                    ViT.EPSILON,
                    span.rows(y, 1),
                    span.rows(stats, 1)));
    return output;
  }

  @Override
  public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
    Matrix x = view(input);
    Matrix dy = view(epsilon);
    INDArray inputGradient = inputGradient(workspaces, x.rows(), x.cols());
    Matrix dx = Matrix.of(inputGradient);
    Matrix stats = save("stats", x.rows(), 2);
    List<Span> spans = Span.of(x.rows(), 1);
    PartialGradients partial = partialGradients(spans.size());
    forEach(
        spans,
        (worker, span) ->
            worker
                .kernels()
                .layerNormBackward(
                    span.rows(dy, 1),
                    span.rows(x, 1),
                    span.rows(stats, 1),
                    parameter("gain"),
                    null,
                    span.rows(dx, 1),
                    partial.of(span.index(), "gain"),
                    partial.of(span.index(), "bias")));
    partial.sum();
    return new Pair<>(gradients(), inputGradient);
  }
}
