package org.mixtraining.vit.layers;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.vit.MaskToken;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The passes of {@link MaskToken}. */
public final class MaskTokenLayer extends TokenLayer<MaskToken> {
  private static final long serialVersionUID = 1L;

  public MaskTokenLayer(NeuralNetConfiguration conf, DataType dataType) {
    super(conf, dataType);
  }

  @Override
  public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
    Matrix x = view(input);
    INDArray output = output(workspaces, x.rows(), x.cols());
    Matrix y = Matrix.of(output);
    y.copyFrom(x);
    Matrix token = parameter("token");
    float[] positions = PositionEmbedding.of(vit().grid(), vit().encoder().dim());
    forEachHidden(
        x.rows(),
        (row, patch) -> {
          int at = (1 + patch) * x.cols();
          for (int d = 0; d < x.cols(); d++) {
            y.set(row, d, token.get(0, d) + positions[at + d]);
          }
        });
    return output;
  }

  @Override
  public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
    Matrix dy = view(epsilon);
    INDArray inputGradient = inputGradient(workspaces, dy.rows(), dy.cols());
    Matrix dx = Matrix.of(inputGradient);
    dx.copyFrom(dy);
    Matrix dToken = gradient("token");
    dToken.fill(0);
    forEachHidden(
        dy.rows(),
        (row, patch) -> {
          dToken.add(dy.rows(row, row + 1));
          dx.rows(row, row + 1).fill(0);
        });
    return new Pair<>(gradients(), inputGradient);
  }

  private interface Hidden {
    void at(int row, int patch);
  }

  private void forEachHidden(int rows, Hidden body) {
    PatchMask patchMask = PatchMask.of(maskArray, vit());
    int tokens = vit().fullTokens();
    for (int i = 0; i < rows / tokens; i++) {
      for (int patch = 0; patch < vit().patches(); patch++) {
        if (patchMask.token(i, patch) == 0) {
          body.at(i * tokens + 1 + patch, patch);
        }
      }
    }
  }
}
