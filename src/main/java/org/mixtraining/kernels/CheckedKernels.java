package org.mixtraining.kernels;

/**
 * Shape checks of {@link Kernels}, in one place for all implementations: on raw memory a wrong
 * shape would not be an exception but a crash.
 */
record CheckedKernels(Kernels kernels) implements Kernels {

  @Override
  public String name() {
    return kernels.name();
  }

  @Override
  public boolean takesWholeBatches() {
    return kernels.takesWholeBatches();
  }

  @Override
  public boolean holdWeights(Matrix weights) {
    need("holdWeights", weights, 1, weights.cols());
    return kernels.holdWeights(weights);
  }

  @Override
  public void roundWeights(Matrix part) {
    kernels.roundWeights(part);
  }

  @Override
  public void releaseWeights() {
    kernels.releaseWeights();
  }

  @Override
  public void linear(Matrix x, Matrix w, Matrix bias, Matrix y) {
    need("linear: bias", bias, 1, w.cols());
    needProduct("linear", x, w, y);
    kernels.linear(x, w, bias, y);
  }

  @Override
  public void matmul(Matrix x, Matrix w, Matrix y) {
    needProduct("matmul", x, w, y);
    kernels.matmul(x, w, y);
  }

  @Override
  public void linearResidual(Matrix x, Matrix w, Matrix bias, Matrix residual, Matrix y) {
    need("linearResidual: bias", bias, 1, w.cols());
    need("linearResidual: residual", residual, x.rows(), w.cols());
    needProduct("linearResidual", x, w, y);
    kernels.linearResidual(x, w, bias, residual, y);
  }

  private static void needProduct(String operation, Matrix x, Matrix w, Matrix y) {
    need(operation + ": w", w, x.cols(), w.cols());
    need(operation + ": y", y, x.rows(), w.cols());
  }

  @Override
  public void linearInputGradient(Matrix dy, Matrix w, Matrix dx) {
    need("linearInputGradient: w", w, w.rows(), dy.cols());
    need("linearInputGradient: dx", dx, dy.rows(), w.rows());
    kernels.linearInputGradient(dy, w, dx);
  }

  @Override
  public void linearWeightGradient(Matrix x, Matrix dy, Matrix dw) {
    need("linearWeightGradient: dy", dy, x.rows(), dy.cols());
    need("linearWeightGradient: dw", dw, x.cols(), dy.cols());
    kernels.linearWeightGradient(x, dy, dw);
  }

  @Override
  public void linearGradients(Matrix x, Matrix w, Matrix dy, Matrix dx, Matrix dw) {
    need("linearGradients: w", w, x.cols(), dy.cols());
    need("linearGradients: dy", dy, x.rows(), dy.cols());
    need("linearGradients: dx", dx, x.rows(), x.cols());
    need("linearGradients: dw", dw, x.cols(), dy.cols());
    kernels.linearGradients(x, w, dy, dx, dw);
  }

  @Override
  public void columnSum(Matrix x, Matrix sum) {
    need("columnSum: sum", sum, 1, x.cols());
    kernels.columnSum(x, sum);
  }

  @Override
  public void linearBackward(Matrix x, Matrix w, Matrix dy, Matrix dx, Matrix dw, Matrix dBias) {
    needGradients("linearBackward", x, w, dy, dx, dw, dBias);
    kernels.linearBackward(x, w, dy, dx, dw, dBias);
  }

  private static void needGradients(
      String operation, Matrix x, Matrix w, Matrix dy, Matrix dx, Matrix dw, Matrix dBias) {
    need(operation + ": w", w, x.cols(), dy.cols());
    need(operation + ": dy", dy, x.rows(), dy.cols());
    needLike(operation + ": dx", dx, x);
    needLike(operation + ": dw", dw, w);
    need(operation + ": dBias", dBias, 1, dy.cols());
  }

  @Override
  public void layerNorm(Matrix x, Matrix gain, Matrix bias, float eps, Matrix y, Matrix stats) {
    need("layerNorm: gain", gain, 1, x.cols());
    need("layerNorm: bias", bias, 1, x.cols());
    needLike("layerNorm: y", y, x);
    need("layerNorm: stats", stats, x.rows(), 2);
    kernels.layerNorm(x, gain, bias, eps, y, stats);
  }

  @Override
  public void layerNormBackward(
      Matrix dy,
      Matrix x,
      Matrix stats,
      Matrix gain,
      Matrix residual,
      Matrix dx,
      Matrix dGain,
      Matrix dBias) {
    needLike("layerNormBackward: dy", dy, x);
    need("layerNormBackward: stats", stats, x.rows(), 2);
    need("layerNormBackward: gain", gain, 1, x.cols());
    if (residual != null) {
      needLike("layerNormBackward: residual", residual, x);
    }
    needLike("layerNormBackward: dx", dx, x);
    need("layerNormBackward: dGain", dGain, 1, x.cols());
    need("layerNormBackward: dBias", dBias, 1, x.cols());
    kernels.layerNormBackward(dy, x, stats, gain, residual, dx, dGain, dBias);
  }

  @Override
  public void biasGelu(Matrix h, Matrix bias, Matrix y) {
    need("biasGelu: bias", bias, 1, h.cols());
    needLike("biasGelu: y", y, h);
    kernels.biasGelu(h, bias, y);
  }

  @Override
  public void biasGeluBackward(Matrix dy, Matrix derivative, Matrix dBias) {
    needLike("biasGeluBackward: derivative", derivative, dy);
    need("biasGeluBackward: dBias", dBias, 1, dy.cols());
    kernels.biasGeluBackward(dy, derivative, dBias);
  }

  @Override
  public void linearGelu(Matrix x, Matrix w, Matrix bias, Matrix derivative, Matrix y) {
    need("linearGelu: bias", bias, 1, w.cols());
    needProduct("linearGelu", x, w, y);
    needLike("linearGelu: derivative", derivative, y);
    kernels.linearGelu(x, w, bias, derivative, y);
  }

  @Override
  public void linearGeluBackward(
      Matrix x, Matrix w, Matrix derivative, Matrix dy, Matrix dx, Matrix dw, Matrix dBias) {
    needLike("linearGeluBackward: derivative", derivative, dy);
    needGradients("linearGeluBackward", x, w, dy, dx, dw, dBias);
    kernels.linearGeluBackward(x, w, derivative, dy, dx, dw, dBias);
  }

  @Override
  public void attention(Matrix qkv, int tokens, int heads, Matrix probabilities, Matrix out) {
    needHeads("attention", qkv, tokens, heads, probabilities);
    need("attention: out", out, qkv.rows(), qkv.cols() / 3);
    kernels.attention(qkv, tokens, heads, probabilities, out);
  }

  @Override
  public void attentionBackward(
      Matrix qkv, int tokens, int heads, Matrix probabilities, Matrix dOut, Matrix dQkv) {
    needHeads("attentionBackward", qkv, tokens, heads, probabilities);
    need("attentionBackward: dOut", dOut, qkv.rows(), qkv.cols() / 3);
    needLike("attentionBackward: dQkv", dQkv, qkv);
    kernels.attentionBackward(qkv, tokens, heads, probabilities, dOut, dQkv);
  }

  private static void needHeads(
      String operation, Matrix qkv, int tokens, int heads, Matrix probabilities) {
    if (tokens < 1 || heads < 1 || qkv.rows() % tokens != 0 || qkv.cols() % (3 * heads) != 0) {
      throw new IllegalArgumentException(
          "%s: qkv is %s, needed images · %s tokens x 3 · %s heads · width"
              .formatted(operation, qkv, tokens, heads));
    }
    int stride = Kernels.probabilityStride(tokens);
    need(operation + ": probabilities", probabilities, qkv.rows() * heads, stride);
  }

  @Override
  public double softmaxCrossEntropy(Matrix logits, Matrix target, float weight, Matrix dLogits) {
    needLike("softmaxCrossEntropy: target", target, logits);
    needLike("softmaxCrossEntropy: dLogits", dLogits, logits);
    return kernels.softmaxCrossEntropy(logits, target, weight, dLogits);
  }

  @Override
  public double maskedSquaredError(
      Matrix prediction, Matrix target, Matrix selected, float weight, Matrix dPrediction) {
    needLike("maskedSquaredError: target", target, prediction);
    need("maskedSquaredError: selected", selected, prediction.rows(), 1);
    needLike("maskedSquaredError: dPrediction", dPrediction, prediction);
    return kernels.maskedSquaredError(prediction, target, selected, weight, dPrediction);
  }

  @Override
  public void adamW(Matrix gradient, Matrix m, Matrix v, AdamStep step) {
    need("adamW: gradient", gradient, 1, gradient.cols());
    needLike("adamW: m", m, gradient);
    needLike("adamW: v", v, gradient);
    kernels.adamW(gradient, m, v, step);
  }

  @Override
  public void addScaled(Matrix x, double factor, Matrix y) {
    need("addScaled: x", x, 1, x.cols());
    needLike("addScaled: y", y, x);
    kernels.addScaled(x, factor, y);
  }

  private static void needLike(String what, Matrix matrix, Matrix like) {
    need(what, matrix, like.rows(), like.cols());
  }

  private static void need(String what, Matrix matrix, int rows, int cols) {
    if (matrix.rows() != rows || matrix.cols() != cols) {
      throw new IllegalArgumentException(
          "%s is %s, needed [%s x %s]".formatted(what, matrix, rows, cols));
    }
  }
}
