package org.mixtraining.train;

import org.mixtraining.kernels.Matrix;

/**
 * Features to mean 0 and deviation 1, each dimension by those of the training images.
 *
 * @param mean [dim]
 * @param scale [dim], 1 / deviation
 */
record Standardization(float[] mean, float[] scale) {

  static Standardization of(Features training) {
    int dim = training.dim();
    float[] mean = new float[dim];
    float[] scale = new float[dim];
    for (int d = 0; d < dim; d++) {
      double sum = 0;
      double squares = 0;
      for (int i = d; i < training.values().length; i += dim) {
        sum += training.values()[i];
        squares += (double) training.values()[i] * training.values()[i];
      }
      double average = sum / training.images();
      double variance = Math.max(0, squares / training.images() - average * average);
      mean[d] = (float) average;
      scale[d] = (float) (1 / Math.sqrt(variance + 1e-6));
    }
    return new Standardization(mean, scale);
  }

  int dim() {
    return mean.length;
  }

  /** Images {@code from} to {@code to} (exclusive), standardised: [to - from, dim]. */
  Matrix rows(Features images, int from, int to) {
    float[] values = new float[(to - from) * dim()];
    for (int i = 0; i < values.length; i++) {
      int d = i % dim();
      values[i] = (images.values()[from * dim() + i] - mean[d]) * scale[d];
    }
    return Matrix.copyOf(values, 0, to - from, dim());
  }
}
