package org.mixtraining.kernels;

import java.util.function.IntConsumer;
import org.mixtraining.kernels.RowOps.AdamFactors;

/**
 * Kernels for processors: BLAS on raw pointers for matrix products, {@link RowOps} for the rest.
 */
final class CpuKernels implements Kernels {
  /** Columns per call on flat parameters: a long loop inside one call is not compiled well. */
  private static final int BLOCK = 4096;

  private final RowOps ops;

  CpuKernels(RowOps ops) {
    this.ops = ops;
  }

  @Override
  public String name() {
    return "cpu";
  }

  // --- linear ----------------------------------------------------------------------------------

  @Override
  public void linear(Mat x, Mat w, Mat bias, Mat y) {
    eachRow(y, r -> y.copyRow(bias, 0, r));
    Sgemm.addAb(x, w, y);
  }

  @Override
  public void matmul(Mat x, Mat w, Mat y) {
    Sgemm.ab(x, w, y);
  }

  @Override
  public void linearResidual(Mat x, Mat w, Mat bias, Mat residual, Mat y) {
    eachRow(y, r -> ops.add(residual, r, bias, 0, y, r));
    Sgemm.addAb(x, w, y);
  }

  @Override
  public void linearInputGradient(Mat dy, Mat w, Mat dx) {
    Sgemm.abT(dy, w, dx);
  }

  @Override
  public void linearWeightGradient(Mat x, Mat dy, Mat dw) {
    Sgemm.aTb(x, dy, dw);
  }

  @Override
  public void columnSum(Mat x, Mat sum) {
    sum.zeroRow(0);
    eachRow(x, r -> ops.add(sum, 0, x, r, sum, 0));
  }

  // --- layer norm ------------------------------------------------------------------------------

  @Override
  public void layerNorm(Mat x, Mat gain, Mat bias, float eps, Mat y, Mat stats) {
    eachRow(
        x,
        r -> layerNormStats(x, r, eps, stats),
        r -> ops.normalize(x, r, stats.at(r, 0), stats.at(r, 1), gain, bias, y));
  }

  private void layerNormStats(Mat x, int r, float eps, Mat stats) {
    float mean = ops.sum(x, r) / x.cols();
    float variance = ops.squaredDeviation(x, r, mean) / x.cols();
    stats.put(r, 0, mean);
    stats.put(r, 1, (float) (1 / Math.sqrt(variance + eps)));
  }

  @Override
  public void layerNormBackward(
      Mat dy, Mat x, Mat stats, Mat gain, Mat residual, Mat dx, Mat dGain, Mat dBias) {
    dGain.zeroRow(0);
    dBias.zeroRow(0);
    if (residual == null) {
      eachRow(dx, dx::zeroRow);
    }
    Mat added = residual == null ? dx : residual;
    eachRow(
        x,
        r -> ops.normalizeParameterGradient(dy, x, r, stats.at(r, 0), stats.at(r, 1), dGain, dBias),
        r -> layerNormInputGradient(dy, x, r, stats, gain, added, dx));
  }

  private void layerNormInputGradient(
      Mat dy, Mat x, int r, Mat stats, Mat gain, Mat residual, Mat dx) {
    float mean = stats.at(r, 0);
    float scale = stats.at(r, 1);
    float meanDy = ops.dot(dy, r, gain, 0) / x.cols();
    float meanDyX = ops.normalizedDot(dy, x, r, mean, scale, gain) / x.cols();
    ops.normalizeInputGradient(dy, x, r, mean, scale, gain, meanDy, meanDyX, residual, dx);
  }

  // --- GELU ------------------------------------------------------------------------------------

  @Override
  public void biasGelu(Mat h, Mat bias, Mat y) {
    eachRow(h, r -> ops.bell(h, r, bias, y), r -> ops.gelu(h, r, bias, y));
  }

  @Override
  public void biasGeluBackward(Mat dy, Mat derivative, Mat dBias) {
    dBias.zeroRow(0);
    eachRow(dy, r -> ops.multiply(dy, derivative, r, dBias));
  }

  // --- attention -------------------------------------------------------------------------------

  @Override
  public void attention(Mat qkv, int tokens, int heads, Mat probabilities, Mat out) {
    int images = qkv.rows() / tokens;
    for (int image = 0; image < images; image++) {
      for (int head = 0; head < heads; head++) {
        var one = new Head(qkv, tokens, heads, image, head);
        Mat padded = one.probabilities(probabilities); // [tokens, probabilityStride(tokens)]
        Mat p = padded.cols(0, tokens);
        float scale = one.scale();
        Sgemm.abT(one.q(), one.k(), p);
        pad(padded, tokens, Float.NEGATIVE_INFINITY);
        eachRow(padded, r -> ops.softmax(padded, r, scale));
        Sgemm.ab(p, one.v(), one.part(out));
      }
    }
  }

  /** Sets the columns past {@code tokens}, which let row operations work on whole vectors. */
  private static void pad(Mat padded, int tokens, float value) {
    for (int r = 0; r < padded.rows(); r++) {
      for (int c = tokens; c < padded.cols(); c++) {
        padded.put(r, c, value);
      }
    }
  }

  @Override
  public void attentionBackward(
      Mat qkv, int tokens, int heads, Mat probabilities, Mat dOut, Mat dQkv) {
    int images = qkv.rows() / tokens;
    try (Mat padded = Mat.allocate(tokens, Kernels.probabilityStride(tokens))) {
      Mat dp = padded.cols(0, tokens);
      for (int image = 0; image < images; image++) {
        for (int head = 0; head < heads; head++) {
          var one = new Head(qkv, tokens, heads, image, head);
          var gradient = new Head(dQkv, tokens, heads, image, head);
          Mat paddedP = one.probabilities(probabilities); // 0 in the padding
          Mat p = paddedP.cols(0, tokens);
          Mat dHead = one.part(dOut); // [tokens, dim / heads]
          Sgemm.abT(dHead, one.v(), dp);
          Sgemm.aTb(p, dHead, gradient.v());
          softmaxBackward(paddedP, padded, one.scale());
          Sgemm.ab(dp, one.k(), gradient.q());
          Sgemm.aTb(dp, one.q(), gradient.k());
        }
      }
    }
  }

  /** Views of what belongs to one head of one image. */
  private record Head(Mat qkv, int tokens, int heads, int image, int head) {

    float scale() {
      return (float) (1 / Math.sqrt(width()));
    }

    private int width() {
      return qkv.cols() / 3 / heads;
    }

    Mat q() {
      return third(0);
    }

    Mat k() {
      return third(1);
    }

    Mat v() {
      return third(2);
    }

    private Mat third(int which) {
      return block(qkv, (which * heads + head) * width());
    }

    /** This head's columns of a [images·tokens, dim] matrix. */
    Mat part(Mat all) {
      return block(all, head * width());
    }

    private Mat block(Mat all, int column) {
      return all.rows(image * tokens, (image + 1) * tokens).cols(column, column + width());
    }

    Mat probabilities(Mat all) {
      int row = (image * heads + head) * tokens;
      return all.rows(row, row + tokens);
    }
  }

  private void softmaxBackward(Mat p, Mat dp, float scale) {
    eachRow(p, r -> ops.softmaxGradient(p, r, dp, r, ops.dot(p, r, dp, r), scale));
  }

  // --- losses ----------------------------------------------------------------------------------

  @Override
  public double softmaxCrossEntropy(Mat logits, Mat target, float weight, Mat dLogits) {
    double loss = 0;
    for (int r = 0; r < logits.rows(); r++) {
      loss += crossEntropyRow(logits, target, r, weight, dLogits);
    }
    return loss;
  }

  private double crossEntropyRow(Mat logits, Mat target, int r, float weight, Mat dLogits) {
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
      Mat prediction, Mat target, Mat selected, float weight, Mat dPrediction) {
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
      Mat prediction, Mat target, int r, float weight, Mat dPrediction) {
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
  public void adamW(
      Mat gradient, Mat m, Mat v, double lr, double beta1, double beta2, double eps, long step) {
    AdamFactors factors = AdamFactors.of(lr, beta1, beta2, eps, step);
    eachBlock(gradient, (from, to) -> ops.adamW(gradient, m, v, from, to, factors));
  }

  @Override
  public void addScaled(Mat x, double factor, Mat y) {
    float by = (float) factor;
    eachBlock(y, (from, to) -> ops.addScaled(x, by, y, from, to));
  }

  /** Columns of a row, from (inclusive) to (exclusive). */
  private interface Block {
    void run(int from, int to);
  }

  private static void eachBlock(Mat row, Block pass) {
    for (int from = 0; from < row.cols(); from += BLOCK) {
      pass.run(from, Math.min(row.cols(), from + BLOCK));
    }
  }

  /**
   * Runs the passes in turn on each row of x. The indirect call keeps them apart when HotSpot
   * compiles: inlined into one method, several passes outgrow its limit of nodes (each vector
   * operation costs hundreds), and from there on every vector is boxed.
   */
  private static void eachRow(Mat x, IntConsumer... passes) {
    for (int r = 0; r < x.rows(); r++) {
      for (IntConsumer pass : passes) {
        pass.accept(r);
      }
    }
  }
}
