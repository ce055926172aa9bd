package org.mixtraining.kernels;

/**
 * The operations that a ViT needs, forward and backward, on row-major matrices of float32.
 *
 * <p>Every method is single-threaded and may be called at the same time from several threads as
 * long as no output is shared; outputs never alias inputs unless said. Outputs are overwritten, not
 * added to, unless said. Shapes stand behind each parameter; {@code rows} is tokens of all images
 * of the call, {@code in} and {@code out} are feature widths.
 */
public interface Kernels {

  /** The implementation's name in tables and benchmarks: {@code cpu} or {@code nd4j}. */
  String name();

  /**
   * Whether a call should get a whole batch, because its overhead does not depend on the size;
   * otherwise it gets chunks that fit a core's cache.
   */
  default boolean takesWholeBatches() {
    return false;
  }

  // --- weights ---------------------------------------------------------------------------------

  /**
   * Begins a stretch in which weights[1, n] keep their values, so that products may read them in a
   * form that is made once. If this returns true, {@link #roundWeights} has to make it of every
   * part before the first product.
   */
  default boolean holdWeights(Matrix weights) {
    return false;
  }

  /** Makes the form that products read of a part of the weights that are held. */
  default void roundWeights(Matrix part) {
    throw new UnsupportedOperationException("weights are read as they are");
  }

  /** Ends the stretch. */
  default void releaseWeights() {}

  // --- linear: y = x·W + b ---------------------------------------------------------------------

  /** y[rows, out] = x[rows, in] · w[in, out] + bias[1, out]. */
  void linear(Matrix x, Matrix w, Matrix bias, Matrix y);

  /** y[rows, out] = x[rows, in] · w[in, out], without a bias. */
  void matmul(Matrix x, Matrix w, Matrix y);

  /** y[rows, out] = residual[rows, out] + x[rows, in] · w[in, out] + bias[1, out]. */
  void linearResidual(Matrix x, Matrix w, Matrix bias, Matrix residual, Matrix y);

  /** dx[rows, in] = dy[rows, out] · w[in, out]ᵀ. */
  void linearInputGradient(Matrix dy, Matrix w, Matrix dx);

  /** dw[in, out] = x[rows, in]ᵀ · dy[rows, out]. */
  void linearWeightGradient(Matrix x, Matrix dy, Matrix dw);

  /**
   * Both gradients of a product: {@link #linearWeightGradient} and {@link #linearInputGradient}.
   */
  default void linearGradients(Matrix x, Matrix w, Matrix dy, Matrix dx, Matrix dw) {
    linearWeightGradient(x, dy, dw);
    linearInputGradient(dy, w, dx);
  }

  /** sum[1, cols] = column sums of x[rows, cols]. */
  void columnSum(Matrix x, Matrix sum);

  /**
   * Backward of {@link #linear}: dx[rows, in], dw[in, out] and dBias[1, out] from dy[rows, out], as
   * the operations above give them; one call where a device's library has one.
   */
  default void linearBackward(Matrix x, Matrix w, Matrix dy, Matrix dx, Matrix dw, Matrix dBias) {
    columnSum(dy, dBias);
    linearGradients(x, w, dy, dx, dw);
  }

  // --- layer norm ------------------------------------------------------------------------------

  /** y = (x − mean) / √(var + eps) · gain + bias by row; stats[rows, 2] = mean, 1/√(var + eps). */
  void layerNorm(Matrix x, Matrix gain, Matrix bias, float eps, Matrix y, Matrix stats);

  /**
   * Backward of {@link #layerNorm}: dx[rows, dim] = residual + the input gradient, dGain[1, dim]
   * and dBias[1, dim] overwritten. {@code residual} may be null (nothing is added) and may be
   * {@code dx} itself.
   */
  void layerNormBackward(
      Matrix dy,
      Matrix x,
      Matrix stats,
      Matrix gain,
      Matrix residual,
      Matrix dx,
      Matrix dGain,
      Matrix dBias);

  // --- GELU, with the Gauss error function -----------------------------------------------------

  /**
   * y = gelu(h + bias) for h[rows, cols], bias[1, cols]; h is overwritten with the derivative at (h
   * + bias), which is all that the backward pass needs.
   */
  void biasGelu(Matrix h, Matrix bias, Matrix y);

  /**
   * Backward of {@link #biasGelu}: dy[rows, cols] *= derivative, elementwise, in place; dBias[1,
   * cols] = column sums of the product.
   */
  void biasGeluBackward(Matrix dy, Matrix derivative, Matrix dBias);

  /**
   * y[rows, out] = gelu(x[rows, in] · w[in, out] + bias[1, out]); derivative[rows, out] as {@link
   * #biasGelu} leaves it.
   */
  default void linearGelu(Matrix x, Matrix w, Matrix bias, Matrix derivative, Matrix y) {
    matmul(x, w, derivative);
    biasGelu(derivative, bias, y);
  }

  /** Backward of {@link #linearGelu}: dy[rows, out] is multiplied by the derivative in place. */
  default void linearGeluBackward(
      Matrix x, Matrix w, Matrix derivative, Matrix dy, Matrix dx, Matrix dw, Matrix dBias) {
    biasGeluBackward(dy, derivative, dBias);
    linearGradients(x, w, dy, dx, dw);
  }

  // --- multi-head self-attention ---------------------------------------------------------------

  /**
   * softmax(Q·Kᵀ/√d)·V per image and head.
   *
   * @param qkv [images·tokens, 3·dim]: q, k and v side by side, each heads × (dim/heads)
   * @param tokens tokens per image
   * @param heads number of heads
   * @param probabilities [images·heads·tokens, probabilityStride(tokens)] out: the attention
   *     weights, kept for the backward pass; columns past {@code tokens} are padding, 0
   * @param out [images·tokens, dim]
   */
  void attention(Matrix qkv, int tokens, int heads, Matrix probabilities, Matrix out);

  /**
   * Backward of {@link #attention}.
   *
   * @param dOut [images·tokens, dim]
   * @param dQkv [images·tokens, 3·dim] out
   */
  void attentionBackward(
      Matrix qkv, int tokens, int heads, Matrix probabilities, Matrix dOut, Matrix dQkv);

  /** Columns of a probabilities matrix: {@code tokens} rounded up so that rows stay aligned. */
  static int probabilityStride(int tokens) {
    return (tokens + 7) / 8 * 8;
  }

  // --- losses ----------------------------------------------------------------------------------

  /**
   * Cross-entropy of softmax(logits) against target distributions.
   *
   * @param logits [rows, classes]
   * @param target [rows, classes]; each row sums to 1, or is all zero for an image without a label
   * @param weight factor on the gradient
   * @param dLogits [rows, classes] out: weight · (softmax · Σ target − target)
   * @return the unweighted sum over rows of −Σ target·log softmax, in double precision
   */
  double softmaxCrossEntropy(Matrix logits, Matrix target, float weight, Matrix dLogits);

  /**
   * Squared error on the rows that are selected.
   *
   * @param prediction [rows, cols]
   * @param target [rows, cols]
   * @param selected [rows, 1]: 1 where the row counts, 0 where it does not
   * @param weight factor on the gradient
   * @param dPrediction [rows, cols] out: weight · 2·(prediction − target) on selected rows, else 0
   * @return the unweighted sum of squared errors over selected rows, in double precision
   */
  double maskedSquaredError(
      Matrix prediction, Matrix target, Matrix selected, float weight, Matrix dPrediction);

  // --- optimizer -------------------------------------------------------------------------------

  /**
   * AdamW without its decay term (Loshchilov and Hutter, arXiv 1711.05101; epsilon outside the bias
   * correction as in PyTorch): updates m and v and overwrites the gradient with lr·m̂/(√v̂ + eps).
   *
   * @param gradient [1, n] in: gradient, out: the amount to subtract from the parameters
   * @param m [1, n] first moment, in and out
   * @param v [1, n] second moment, in and out
   */
  void adamW(Matrix gradient, Matrix m, Matrix v, AdamStep step);

  /** y[1, n] += factor · x[1, n]. */
  void addScaled(Matrix x, double factor, Matrix y);
}
