package org.mixtraining.vit;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.mixtraining.kernels.Mat;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The passes of {@link TokenNorm}. */
final class TokenNormLayer extends TokenLayer<TokenNorm> {
  private static final long serialVersionUID = 1L;

  TokenNormLayer(NeuralNetConfiguration conf, DataType dataType) {
    super(conf, dataType);
  }

  @Override
  public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
    Mat x = view(input);
    INDArray output = output(workspaces, x.rows(), x.cols());
    Mat stats = save("stats", x.rows(), 2);
    kernels()
        .layerNorm(x, parameter("gain"), parameter("bias"), ViT.EPSILON, Mat.of(output), stats);
    return output;
  }

  @Override
  public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
    Mat x = view(input);
    INDArray inputGradient = inputGradient(workspaces, x.rows(), x.cols());
    kernels()
        .layerNormBackward(
            view(epsilon),
            x,
            save("stats", x.rows(), 2),
            parameter("gain"),
            null,
            Mat.of(inputGradient),
            gradient("gain"),
            gradient("bias"));
    return new Pair<>(gradients(), inputGradient);
  }
}
