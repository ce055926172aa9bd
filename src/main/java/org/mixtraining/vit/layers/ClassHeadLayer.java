package org.mixtraining.vit.layers;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.mixtraining.config.ModelConfig.Pooling;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.vit.ClassHead;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The passes of {@link ClassHead}. */
public final class ClassHeadLayer extends LossLayer<ClassHead> {
  private static final long serialVersionUID = 1L;

  private int correct;
  private int labelled;

  public ClassHeadLayer(NeuralNetConfiguration conf, DataType dataType) {
    super(conf, dataType);
  }

  @Override
  double weight() {
    return context().slWeight() * layerConf().share();
  }

  /** Images of the last step whose most probable class was their label's. */
  public int correct() {
    return correct;
  }

  /** Images of the last step that had a label. */
  public int labelled() {
    return labelled;
  }

  /** The feature vectors of the last pass, which had so many images: [images, dim]. */
  public Matrix features(int images) {
    return save("features", images, vit().encoder().dim());
  }

  @Override
  public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
    Matrix x = view(input);
    Sequences group = pooled(x.rows());
    INDArray output = output(workspaces, group.images(), layerConf().classes());
    Matrix probabilities = Matrix.of(output);
    logits(x, group, probabilities);
    for (int i = 0; i < group.images(); i++) {
      softmax(probabilities, i);
    }
    return output;
  }

  private Sequences pooled(int rows) {
    return TokenLayout.ofRows(vit(), layerConf().encoderInput(), rows).pooled();
  }

  private void logits(Matrix x, Sequences group, Matrix logits) {
    Matrix features = features(group.images());
    pool(x, group, features);
    kernels().linear(features, parameter("weight"), parameter("bias"), logits);
  }

  private void pool(Matrix x, Sequences group, Matrix features) {
    for (int i = 0; i < group.images(); i++) {
      int row = group.firstRow() + i * group.tokens();
      Matrix feature = features.rows(i, i + 1);
      switch (vit().architecture().pooling()) {
        case CLS -> feature.copyFrom(x.rows(row, row + 1));
        case MEAN -> mean(x.rows(row + 1, row + group.tokens()), feature);
      }
    }
  }

  private void mean(Matrix tokens, Matrix feature) {
    kernels().columnSum(tokens, feature);
    for (int d = 0; d < feature.cols(); d++) {
      feature.set(0, d, feature.get(0, d) / tokens.rows());
    }
  }

  private static void softmax(Matrix rows, int row) {
    double max = Double.NEGATIVE_INFINITY;
    for (int c = 0; c < rows.cols(); c++) {
      max = Math.max(max, rows.get(row, c));
    }
    double sum = 0;
    for (int c = 0; c < rows.cols(); c++) {
      sum += Math.exp(rows.get(row, c) - max);
    }
    for (int c = 0; c < rows.cols(); c++) {
      rows.set(row, c, (float) (Math.exp(rows.get(row, c) - max) / sum));
    }
  }

  @Override
  double loss(Matrix x, Matrix target, double weight) {
    Sequences group = pooled(x.rows());
    Matrix logits = scratch("head-logits", group.images(), layerConf().classes());
    logits(x, group, logits);
    score(logits, target);
    Matrix dLogits = save("d-logits", group.images(), layerConf().classes());
    int count = Math.max(1, labelled);
    return kernels().softmaxCrossEntropy(logits, target, (float) (weight / count), dLogits) / count;
  }

  @Override
  void backward(Matrix x, Matrix dInput) {
    Sequences group = pooled(x.rows());
    Matrix features = features(group.images());
    Matrix dLogits = save("d-logits", group.images(), layerConf().classes());
    Matrix dFeatures = scratch("head-features", group.images(), vit().encoder().dim());
    kernels()
        .linearBackward(
            features,
            parameter("weight"),
            dLogits,
            dFeatures,
            gradient("weight"),
            gradient("bias"));
    unpool(dFeatures, group, dInput);
  }

  private void unpool(Matrix dFeatures, Sequences group, Matrix dInput) {
    dInput.fill(0);
    boolean mean = vit().architecture().pooling() == Pooling.MEAN;
    int tokens = group.tokens() - 1;
    for (int i = 0; i < group.images(); i++) {
      int row = group.firstRow() + i * group.tokens();
      Matrix feature = dFeatures.rows(i, i + 1);
      if (!mean) {
        dInput.rows(row, row + 1).copyFrom(feature);
        continue;
      }
      for (int d = 0; d < feature.cols(); d++) {
        feature.set(0, d, feature.get(0, d) / tokens);
      }
      for (int t = 1; t <= tokens; t++) {
        dInput.rows(row + t, row + t + 1).copyFrom(feature);
      }
    }
  }

  private void score(Matrix logits, Matrix target) {
    correct = 0;
    labelled = 0;
    for (int i = 0; i < logits.rows(); i++) {
      int label = target.largest(i);
      if (target.get(i, label) > 0) {
        labelled++;
        correct += logits.largest(i) == label ? 1 : 0;
      }
    }
  }
}
