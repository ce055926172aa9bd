package org.mixtraining.kernels;

import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The parts of {@link CpuKernels} that are not matrix products, one row at a time.
 *
 * <p>Both implementations give the same bits. Elementwise work rounds alike, with a fused
 * multiply-add where the code says so. A reduction keeps eight partial results, lane i for columns
 * i, i + 8, …, over the columns up to the last multiple of eight; the lanes are combined as ((0+4)
 * + (2+6)) + ((1+5) + (3+7)); the columns left over follow one by one.
 */
interface RowOps {

  /** Partial results that a reduction keeps: the floats of a 256-bit vector. */
  int LANES = 8;

  /** y[yr] = a[ar] + b[br]; y may be a or b. */
  void add(Matrix a, int ar, Matrix b, int br, Matrix y, int yr);

  /** y[row] *= x[row]; sum[0] += y[row]. */
  void multiply(Matrix y, Matrix x, int row, Matrix sum);

  /** Σ x[row]. */
  float sum(Matrix x, int row);

  /** max x[row]. */
  float max(Matrix x, int row);

  /** Σ a[ar] · b[br]. */
  float dot(Matrix a, int ar, Matrix b, int br);

  /** Σ (x[row] − mean)². */
  float squaredDeviation(Matrix x, int row, float mean);

  /** y[row] = (x[row] − mean) · scale · gain + bias. */
  void normalize(Matrix x, int row, float mean, float scale, Matrix gain, Matrix bias, Matrix y);

  /** Σ dy[row] · gain · (x[row] − mean) · scale. */
  float normalizedDot(Matrix dy, Matrix x, int row, float mean, float scale, Matrix gain);

  /** dGain += dy[row] · (x[row] − mean) · scale; dBias += dy[row]. */
  void normalizeParameterGradient(
      Matrix dy, Matrix x, int row, float mean, float scale, Matrix dGain, Matrix dBias);

  /**
   * dx[row] = residual[row] + scale · (dy[row] · gain − meanDy − (x[row] − mean) · scale ·
   * meanDyX); dx may be residual.
   */
  void normalizeInputGradient(
      Matrix dy,
      Matrix x,
      int row,
      float mean,
      float scale,
      Matrix gain,
      float meanDy,
      float meanDyX,
      Matrix residual,
      Matrix dx);

  /** y[row] = exp(−x²/2) for x = h[row] + bias. */
  void bell(Matrix h, int row, Matrix bias, Matrix y);

  /** y[row] = gelu(x) and h[row] = gelu′(x) for x = h[row] + bias, given {@link #bell} in y. */
  void gelu(Matrix h, int row, Matrix bias, Matrix y);

  /** x[row] = softmax(x[row] · scale), for a positive scale. */
  void softmax(Matrix x, int row, float scale);

  /** dp[dr] = (dp[dr] − dot) · p[pr] · scale: softmax backward, given dot = Σ p · dp. */
  void softmaxGradient(Matrix p, int pr, Matrix dp, int dr, float dot, float scale);

  /** {@link Kernels#adamW} on columns from (inclusive) to (exclusive), given its float factors. */
  void adamW(Matrix gradient, Matrix m, Matrix v, int from, int to, AdamFactors factors);

  /** y += factor · x on columns from (inclusive) to (exclusive) of single rows. */
  void addScaled(Matrix x, float factor, Matrix y, int from, int to);

  /**
   * @param rate lr / (1 − beta1^step)
   * @param rootScale 1 / √(1 − beta2^step)
   */
  record AdamFactors(
      float beta1, float rest1, float beta2, float rest2, float rate, float rootScale, float eps) {

    static AdamFactors of(AdamStep of) {
      return new AdamFactors(
          (float) of.beta1(),
          (float) (1 - of.beta1()),
          (float) of.beta2(),
          (float) (1 - of.beta2()),
          (float) (of.lr() / (1 - Math.pow(of.beta1(), of.step()))),
          (float) (1 / Math.sqrt(1 - Math.pow(of.beta2(), of.step()))),
          (float) of.eps());
    }
  }

  /** The faster implementation that this JVM and this processor can run. */
  static RowOps best() {
    return Best.OPS;
  }

  /** The implementation, chosen once, with a warning if it is the slow one. */
  final class Best {
    private static final Logger LOG = LoggerFactory.getLogger(RowOps.class);
    private static final Optional<String> OBSTACLE = look(); // only the first try tells all
    private static final RowOps OPS = choose();

    private Best() {}

    private static RowOps choose() {
      OBSTACLE.ifPresent(
          why -> LOG.warn("CPU kernels run in plain Java, several times slower: {}", why));
      return OBSTACLE.isPresent() ? new ScalarRowOps(0) : new VectorRowOps();
    }

    /** The reason why the Vector API cannot be used, if there is one. */
    static Optional<String> obstacle() {
      return OBSTACLE;
    }

    private static Optional<String> look() {
      if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
        return Optional.of("start the JVM with --add-modules=jdk.incubator.vector");
      }
      try {
        VectorRowOps.tryOut();
        return VectorRowOps.suitsProcessor()
            ? Optional.empty()
            : Optional.of("this processor has no 256-bit vectors");
      } catch (LinkageError e) {
        return Optional.of(
            "the Vector API of Java %s is not one that this version knows: %s"
                .formatted(Runtime.version().feature(), e));
      }
    }
  }
}
