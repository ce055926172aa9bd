package org.mixtraining.kernels;

import java.util.function.IntConsumer;
import org.mixtraining.kernels.RowOps.AdamFactors;

/**
 * Kernels for processors, all of {@link Kernels} in one class: {@link Gemm} on raw pointers for
 * matrix products, {@link RowOps} for the rest.
 */
record CpuKernels(RowOps ops, Gemm gemm) implements Kernels {
  /** Columns per call on flat parameters: a long loop inside one call is not compiled well. */
  private static final int BLOCK = 4096;

  @Override
  public String name() {
    return gemm.bf16() ? "cpu bf16" : "cpu";
  }

  // --- linear ----------------------------------------------------------------------------------

  @Override
  public void linear(Matrix x, Matrix w, Matrix bias, Matrix y) {
    eachRow(y, r -> y.copyRow(bias, 0, r));
    gemm.addAb(x, w, y);
  }

  @Override
  public void matmul(Matrix x, Matrix w, Matrix y) {
    gemm.ab(x, w, y);
  }

  @Override
  public void linearResidual(Matrix x, Matrix w, Matrix bias, Matrix residual, Matrix y) {
    eachRow(y, r -> ops.add(residual, r, bias, 0, y, r));
    gemm.addAb(x, w, y);
  }

  @Override
  public void linearInputGradient(Matrix dy, Matrix w, Matrix dx) {
    gemm.abT(dy, w, dx);
  }

  @Override
  public void linearWeightGradient(Matrix x, Matrix dy, Matrix dw) {
    gemm.aTb(x, dy, dw);
  }

  @Override
  public void linearGradients(Matrix x, Matrix w, Matrix dy, Matrix dx, Matrix dw) {
    gemm.gradients(x, w, dy, dx, dw);
  }

  @Override
  public boolean holdWeights(Matrix weights) {
    if (gemm.bf16()) {
      gemm.held().hold(weights);
    }
    return gemm.bf16();
  }

  @Override
  public void roundWeights(Matrix part) {
    gemm.held().round(part);
  }

  @Override
  public void releaseWeights() {
    gemm.held().release();
  }

  @Override
  public void columnSum(Matrix x, Matrix sum) {
    sum.zeroRow(0);
    eachRow(x, r -> ops.add(sum, 0, x, r, sum, 0));
  }

  // --- layer norm ------------------------------------------------------------------------------

  @Override
  public void layerNorm(Matrix x, Matrix gain, Matrix bias, float eps, Matrix y, Matrix stats) {
    eachRow(
        x,
        r -> layerNormStats(x, r, eps, stats),
        r -> ops.normalize(x, r, stats.at(r, 0), stats.at(r, 1), gain, bias, y));
  }

  private void layerNormStats(Matrix x, int r, float eps, Matrix stats) {
    float mean = ops.sum(x, r) / x.cols();
    float variance = ops.squaredDeviation(x, r, mean) / x.cols();
    stats.put(r, 0, mean);
    stats.put(r, 1, (float) (1 / Math.sqrt(variance + eps)));
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
    dGain.zeroRow(0);
    dBias.zeroRow(0);
    if (residual == null) {
      eachRow(dx, dx::zeroRow);
    }
    Matrix added = residual == null ? dx : residual;
    eachRow(
        x,
        r -> ops.normalizeParameterGradient(dy, x, r, stats.at(r, 0), stats.at(r, 1), dGain, dBias),
        r -> layerNormInputGradient(dy, x, r, stats, gain, added, dx));
  }

  private void layerNormInputGradient(
      Matrix dy, Matrix x, int r, Matrix stats, Matrix gain, Matrix residual, Matrix dx) {
    float mean = stats.at(r, 0);
    float scale = stats.at(r, 1);
    float meanDy = ops.dot(dy, r, gain, 0) / x.cols();
    float meanDyX = ops.normalizedDot(dy, x, r, mean, scale, gain) / x.cols();
    ops.normalizeInputGradient(dy, x, r, mean, scale, gain, meanDy, meanDyX, residual, dx);
  }

  // --- GELU ------------------------------------------------------------------------------------

  @Override
  public void biasGelu(Matrix h, Matrix bias, Matrix y) {
    eachRow(h, r -> ops.bell(h, r, bias, y), r -> ops.gelu(h, r, bias, y));
  }

  @Override
  public void biasGeluBackward(Matrix dy, Matrix derivative, Matrix dBias) {
    dBias.zeroRow(0);
    eachRow(dy, r -> ops.multiply(dy, derivative, r, dBias));
  }

  // --- attention -------------------------------------------------------------------------------

  @Override
  public void attention(Matrix qkv, int tokens, int heads, Matrix probabilities, Matrix out) {
    int images = qkv.rows() / tokens;
    for (int image = 0; image < images; image++) {
      for (int head = 0; head < heads; head++) {
        var one = new Head(qkv, tokens, heads, image, head);
        Matrix padded = one.probabilities(probabilities); // [tokens, probabilityStride(tokens)]
        Matrix p = padded.cols(0, tokens);
        float scale = one.scale();
        gemm.abT(one.q(), one.k(), p);
        pad(padded, tokens, Float.NEGATIVE_INFINITY);
        eachRow(padded, r -> ops.softmax(padded, r, scale));
        gemm.ab(p, one.v(), one.part(out));
      }
    }
  }

  /** Sets the columns past {@code tokens}, which let row operations work on whole vectors. */
  private static void pad(Matrix padded, int tokens, float value) {
    for (int r = 0; r < padded.rows(); r++) {
      for (int c = tokens; c < padded.cols(); c++) {
        padded.put(r, c, value);
      }
    }
  }

  @Override
  public void attentionBackward(
      Matrix qkv, int tokens, int heads, Matrix probabilities, Matrix dOut, Matrix dQkv) {
    int images = qkv.rows() / tokens;
    try (Matrix padded = Matrix.allocate(tokens, Kernels.probabilityStride(tokens))) {
      Matrix dp = padded.cols(0, tokens);
      for (int image = 0; image < images; image++) {
        for (int head = 0; head < heads; head++) {
          var one = new Head(qkv, tokens, heads, image, head);
          var gradient = new Head(dQkv, tokens, heads, image, head);
          Matrix paddedP = one.probabilities(probabilities); // 0 in the padding
          Matrix p = paddedP.cols(0, tokens);
          Matrix dHead = one.part(dOut); // [tokens, dim / heads]
          gemm.abT(dHead, one.v(), dp);
          gemm.aTb(p, dHead, gradient.v());
          softmaxBackward(paddedP, padded, one.scale());
          gemm.ab(dp, one.k(), gradient.q());
          gemm.aTb(dp, one.q(), gradient.k());
        }
      }
    }
  }

  /** Views of what belongs to one head of one image. */
  private record Head(Matrix qkv, int tokens, int heads, int image, int head) {

    float scale() {
      return (float) (1 / Math.sqrt(width()));
    }

    private int width() {
      return qkv.cols() / 3 / heads;
    }

    Matrix q() {
      return third(0);
    }

    Matrix k() {
      return third(1);
    }

    Matrix v() {
      return third(2);
    }

    private Matrix third(int which) {
      return block(qkv, (which * heads + head) * width());
    }

    /** This head's columns of a [images·tokens, dim] matrix. */
    Matrix part(Matrix all) {
      return block(all, head * width());
    }

    private Matrix block(Matrix all, int column) {
      return all.rows(image * tokens, (image + 1) * tokens).cols(column, column + width());
    }

    Matrix probabilities(Matrix all) {
      int row = (image * heads + head) * tokens;
      return all.rows(row, row + tokens);
    }
  }

  private void softmaxBackward(Matrix p, Matrix dp, float scale) {
    eachRow(p, r -> ops.softmaxGradient(p, r, dp, r, ops.dot(p, r, dp, r), scale));
  }

  // --- losses ----------------------------------------------------------------------------------

  @Override
  public double softmaxCrossEntropy(Matrix logits, Matrix target, float weight, Matrix dLogits) {
    double loss = 0;
    for (int r = 0; r < logits.rows(); r++) {
      loss += crossEntropyRow(logits, target, r, weight, dLogits);
    }
    return loss;
  }

  private double crossEntropyRow(
      Matrix logits, Matrix target, int r, float weight, Matrix dLogits) {
    float max = ops.max(logits, r);
    double exps = 0;
    double targets = 0;
    for (int c = 0; c < logits.cols(); c++) {
      exps += Math.exp(logits.at(r, c) - max);
      targets += target.at(r, c);
    }
    double logSum = Math.log(exps);
    double loss = 0;
    for (int c = 0; c < logits.cols(); c++) {
      double logProbability = logits.at(r, c) - max - logSum;
      float t = target.at(r, c);
      loss -= t * logProbability;
      dLogits.put(r, c, (float) (weight * (Math.exp(logProbability) * targets - t)));
    }
    return loss;
  }

  @Override
  public double maskedSquaredError(
      Matrix prediction, Matrix target, Matrix selected, float weight, Matrix dPrediction) {
    double loss = 0;
    for (int r = 0; r < prediction.rows(); r++) {
      if (selected.at(r, 0) == 0) {
        dPrediction.zeroRow(r);
      } else {
        loss += squaredErrorRow(prediction, target, r, weight, dPrediction);
      }
    }
    return loss;
  }

  private static double squaredErrorRow(
      Matrix prediction, Matrix target, int r, float weight, Matrix dPrediction) {
    double loss = 0;
    for (int c = 0; c < prediction.cols(); c++) {
      float error = prediction.at(r, c) - target.at(r, c);
      loss += (double) error * error;
      dPrediction.put(r, c, 2 * weight * error);
    }
    return loss;
  }

  // --- optimizer -------------------------------------------------------------------------------

  @Override
  public void adamW(Matrix gradient, Matrix m, Matrix v, AdamStep step) {
    AdamFactors factors = AdamFactors.of(step);
    eachBlock(gradient, (from, to) -> ops.adamW(gradient, m, v, from, to, factors));
  }

  @Override
  public void addScaled(Matrix x, double factor, Matrix y) {
    float by = (float) factor;
    eachBlock(y, (from, to) -> ops.addScaled(x, by, y, from, to));
  }

  /** Columns of a row, from (inclusive) to (exclusive). */
  private interface Block {
    void run(int from, int to);
  }

  private static void eachBlock(Matrix row, Block pass) {
    for (int from = 0; from < row.cols(); from += BLOCK) {
      pass.run(from, Math.min(row.cols(), from + BLOCK));
    }
  }

  /**
   * Runs the passes in turn on each row of x. The indirect call keeps them apart when HotSpot
   * compiles: inlined into one method, several passes outgrow its limit of nodes (each vector
   * operation costs hundreds), and from there on every vector is boxed.
   */
  private static void eachRow(Matrix x, IntConsumer... passes) {
    for (int r = 0; r < x.rows(); r++) {
      for (IntConsumer pass : passes) {
        pass.accept(r);
      }
    }
  }
}
