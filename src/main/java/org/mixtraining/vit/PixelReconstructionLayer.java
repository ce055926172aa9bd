package org.mixtraining.vit;

import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.mixtraining.kernels.Mat;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The passes of {@link PixelReconstruction}. */
final class PixelReconstructionLayer extends LossLayer<PixelReconstruction> {
  private static final long serialVersionUID = 1L;

  private transient Visibility visibility;

  PixelReconstructionLayer(NeuralNetConfiguration conf, DataType dataType) {
    super(conf, dataType);
  }

  /** Predicted patches, [images · (1 + patches), patchValues]; class tokens' rows mean nothing. */
  @Override
  public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
    Mat x = view(input);
    INDArray output = output(workspaces, x.rows(), vit().patchValues());
    predict(x, Mat.of(output));
    return output;
  }

  private void predict(Mat x, Mat prediction) {
    Mat normed = save("normed", x.rows(), x.cols());
    Mat stats = save("stats", x.rows(), 2);
    kernels().layerNorm(x, parameter("gain"), parameter("bias"), ViT.EPSILON, normed, stats);
    kernels().linear(normed, parameter("weight"), parameter("projection-bias"), prediction);
  }

  @Override
  public Pair<INDArray, MaskState> feedForwardMaskArray(
      INDArray mask, MaskState state, int images) {
    // Read now: the graph clears masks before it asks an output layer for its score.
    visibility = Visibility.of(mask, vit());
    return super.feedForwardMaskArray(mask, state, images);
  }

  @Override
  double loss(Mat x, Mat images, double weight) {
    int values = vit().patchValues();
    Mat target = scratch("pixels-target", x.rows(), values);
    Mat hidden = scratch("pixels-hidden", x.rows(), 1);
    long count = targets(images, target, hidden) * values;
    Mat prediction = scratch("pixels-prediction", x.rows(), values);
    predict(x, prediction);
    Mat dPrediction = save("d-prediction", x.rows(), values);
    float scale = (float) (weight / count);
    return kernels().maskedSquaredError(prediction, target, hidden, scale, dPrediction) / count;
  }

  @Override
  void backward(Mat x, Mat dInput) {
    Mat normed = save("normed", x.rows(), x.cols());
    Mat dPrediction = save("d-prediction", x.rows(), vit().patchValues());
    Mat dNormed = scratch("pixels-normed", x.rows(), x.cols());
    kernels().linearWeightGradient(normed, dPrediction, gradient("weight"));
    kernels().columnSum(dPrediction, gradient("projection-bias"));
    kernels().linearInputGradient(dPrediction, parameter("weight"), dNormed);
    kernels()
        .layerNormBackward(
            dNormed,
            x,
            save("stats", x.rows(), 2),
            parameter("gain"),
            null,
            dInput,
            gradient("gain"),
            gradient("bias"));
  }

  /** Fills in the hidden patches; returns how many there are. */
  private long targets(Mat images, Mat target, Mat hidden) {
    int tokens = vit().fullTokens();
    hidden.fill(0);
    long count = 0;
    for (int i = 0; i < images.rows(); i++) {
      for (int p = 0; p < vit().patches(); p++) {
        if (visibility.token(i, p) == 0) {
          int row = i * tokens + 1 + p;
          Patches.copy(vit(), images, i, p, target, row);
          if (vit().normPix()) {
            Patches.normalise(target, row);
          }
          hidden.set(row, 0, 1);
          count++;
        }
      }
    }
    return count;
  }
}
