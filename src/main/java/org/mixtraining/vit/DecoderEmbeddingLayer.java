package org.mixtraining.vit;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.mixtraining.kernels.Mat;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The passes of {@link DecoderEmbedding}. */
final class DecoderEmbeddingLayer extends TokenLayer<DecoderEmbedding> {
  private static final long serialVersionUID = 1L;

  DecoderEmbeddingLayer(NeuralNetConfiguration conf, DataType dataType) {
    super(conf, dataType);
  }

  @Override
  public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
    Mat encoded = view(input);
    TokenLayout.Group group = layout(encoded.rows()).decoded();
    Visibility visibility = Visibility.of(maskArray, vit());
    int width = vit().decoderDim();
    int tokens = vit().fullTokens();
    INDArray output = output(workspaces, group.images() * tokens, width);
    Mat decoder = Mat.of(output);

    Mat mapped = scratch("decoder-mapped", group.rows(), width);
    Mat x = encoded.rows(0, group.rows());
    kernels().linear(x, parameter("weight"), parameter("bias"), mapped);
    float[] positions = PositionEmbedding.of(vit().grid(), width);
    for (int i = 0; i < group.images(); i++) {
      int from = i * group.tokens();
      int to = i * tokens;
      decoder.rows(to, to + 1).copyFrom(mapped.rows(from, from + 1));
      for (int p = 0; p < vit().patches(); p++) {
        int token = token(visibility, i, p);
        Mat source = token == 0 ? parameter("mask") : mapped.rows(from + token, from + token + 1);
        place(source, positions, decoder, to + 1 + p, 1 + p);
      }
    }
    return output;
  }

  private static void place(Mat source, float[] positions, Mat decoder, int row, int position) {
    int at = position * source.cols();
    for (int d = 0; d < source.cols(); d++) {
      decoder.set(row, d, source.get(0, d) + positions[at + d]);
    }
  }

  @Override
  public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
    Mat dDecoder = view(epsilon);
    Mat encoded = view(input);
    TokenLayout.Group group = layout(encoded.rows()).decoded();
    Visibility visibility = Visibility.of(maskArray, vit());
    int tokens = vit().fullTokens();

    Mat dMapped = scratch("decoder-mapped", group.rows(), vit().decoderDim());
    Mat dMask = gradient("mask");
    dMask.fill(0);
    for (int i = 0; i < group.images(); i++) {
      int from = i * group.tokens();
      int to = i * tokens;
      dMapped.rows(from, from + 1).copyFrom(dDecoder.rows(to, to + 1));
      for (int p = 0; p < vit().patches(); p++) {
        int token = token(visibility, i, p);
        Mat d = dDecoder.rows(to + 1 + p, to + 2 + p);
        if (token == 0) {
          dMask.add(d);
        } else {
          dMapped.rows(from + token, from + token + 1).copyFrom(d);
        }
      }
    }
    kernels().linearWeightGradient(encoded.rows(0, group.rows()), dMapped, gradient("weight"));
    kernels().columnSum(dMapped, gradient("bias"));

    INDArray inputGradient = inputGradient(workspaces, encoded.rows(), vit().dim());
    Mat dx = Mat.of(inputGradient);
    kernels().linearInputGradient(dMapped, parameter("weight"), dx.rows(0, group.rows()));
    if (group.rows() < dx.rows()) {
      dx.rows(group.rows(), dx.rows()).fill(0);
    }
    return new Pair<>(gradients(), inputGradient);
  }

  /** The encoder token that a patch's decoder token is made of; 0 is the mask token. */
  private int token(Visibility visibility, int image, int patch) {
    return layerConf().sight() == Sight.CORRUPTED ? 1 + patch : visibility.token(image, patch);
  }

  private TokenLayout layout(int rows) {
    return TokenLayout.ofRows(vit(), layerConf().sight(), rows);
  }
}
