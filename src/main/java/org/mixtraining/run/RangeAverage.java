package org.mixtraining.run;

import org.mixtraining.config.OptimizerConfig.Betas;

/**
 * The weighted average of a range of a block's values, parameters and AdamW's moments, over the
 * workers that trained it. Every value is summed in worker order in double precision.
 *
 * <p>A worker's second moment is that of gradients of its small part of a batch, whose noise makes
 * it larger, and so the steps smaller, than those of one worker on whole batches. The workers'
 * first moments tell how large that noise is, since they began the round alike: after K steps their
 * variance is (1 − β1)² (1 − β1^2K) / (1 − β1²) of the gradients', of which 1 − β2^K is in the mean
 * of the second moments. That part is taken out:
 *
 * <pre>
 * v = max(mean(v) − noise · var(m), mean(v) / workers)
 * noise = (1 + β1) (1 − β2^K) / ((1 − β1) (1 − β1^2K))
 * </pre>
 *
 * <p>With noise alone the mean is as many times too large as there are workers, so the average is
 * never less than that part of it. Measured in the manual's experiments.
 */
public final class RangeAverage {

  private final int workers;
  private final double noise;
  private final double[] parameters;
  private final double[] m;
  private final double[] v;
  private final double[] squares; // of m

  /**
   * @param length of the range
   * @param workers above 1 that trained it
   * @param noise {@link #noise} of the round
   */
  public RangeAverage(int length, int workers, double noise) {
    this.workers = workers;
    this.noise = noise;
    this.parameters = new double[length];
    this.m = new double[length];
    this.v = new double[length];
    this.squares = new double[length];
  }

  /**
   * The noise of batches in the second moment, in variances of the first moment.
   *
   * @param steps that the workers took between two averages; of none there is no noise
   */
  public static double noise(Betas betas, double steps) {
    if (steps <= 0) {
      return 0;
    }
    double first = betas.first();
    return (1 + first)
        * (1 - Math.pow(betas.second(), steps))
        / ((1 - first) * (1 - Math.pow(first, 2 * steps)));
  }

  /** Adds the next worker's values, which begin in its arrays at {@code from}. */
  public void add(double weight, float[] parameters, float[] m, float[] v, int from) {
    for (int i = 0; i < squares.length; i++) {
      double moment = m[from + i];
      this.parameters[i] += weight * parameters[from + i];
      this.m[i] += weight * moment;
      this.v[i] += weight * v[from + i];
      squares[i] += weight * (moment * moment);
    }
  }

  /** Writes the averages into arrays, beginning at {@code from}. */
  public void write(float[] parameters, float[] m, float[] v, int from) {
    for (int i = 0; i < squares.length; i++) {
      parameters[from + i] = (float) this.parameters[i];
      m[from + i] = (float) this.m[i];
      double variance = Math.max(0, squares[i] - this.m[i] * this.m[i]);
      double removed = Math.min(noise * variance, this.v[i] * (1 - 1.0 / workers));
      v[from + i] = (float) (this.v[i] - Math.max(0, removed));
    }
  }
}
