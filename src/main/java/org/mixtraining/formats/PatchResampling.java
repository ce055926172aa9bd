package org.mixtraining.formats;

import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.RealMatrix;
import org.apache.commons.math3.linear.SingularValueDecomposition;

/**
 * Resampling of patch and position embeddings for another patch size or grid. Patch embeddings by
 * FlexiViT's method (Beyer et al., arXiv 2212.08013, section 3.4): the kernel whose products with
 * resized patches are nearest to those of the given kernel with the patches themselves. With a
 * resize B of images, bicubic and antialiased as PyTorch's and Pillow's, it is the pseudo-inverse
 * of Bᵀ times the kernel.
 */
final class PatchResampling {

  private PatchResampling() {}

  /**
   * Resamples kernels.
   *
   * @param kernels [n, from, from], row-major
   * @return [n, to, to]
   */
  static float[] kernels(float[] kernels, int from, int to) {
    // B is the same along both sides, and so is the pseudo-inverse: P · kernel · Pᵀ.
    RealMatrix side =
        new SingularValueDecomposition(bicubic(from, to).transpose()).getSolver().getInverse();
    int count = kernels.length / (from * from);
    float[] resampled = new float[count * to * to];
    for (int n = 0; n < count; n++) {
      RealMatrix kernel = new Array2DRowRealMatrix(from, from);
      for (int i = 0; i < from * from; i++) {
        kernel.setEntry(i / from, i % from, kernels[n * from * from + i]);
      }
      RealMatrix result = side.multiply(kernel).multiply(side.transpose());
      for (int i = 0; i < to * to; i++) {
        resampled[n * to * to + i] = (float) result.getEntry(i / to, i % to);
      }
    }
    return resampled;
  }

  /**
   * Interpolates a position embedding to another grid of patches.
   *
   * @param positions [from · from, dim], row-major
   * @return [to · to, dim]
   */
  static float[] positions(float[] positions, int from, int to, int dim) {
    RealMatrix side = bicubic(from, to);
    float[] interpolated = new float[to * to * dim];
    for (int d = 0; d < dim; d++) {
      RealMatrix plane = new Array2DRowRealMatrix(from, from);
      for (int i = 0; i < from * from; i++) {
        plane.setEntry(i / from, i % from, positions[i * dim + d]);
      }
      RealMatrix result = side.multiply(plane).multiply(side.transpose());
      for (int i = 0; i < to * to; i++) {
        interpolated[i * dim + d] = (float) result.getEntry(i / to, i % to);
      }
    }
    return interpolated;
  }

  /** The matrix [to, from] that resizes a line of pixels. */
  static RealMatrix bicubic(int from, int to) {
    double scale = (double) from / to;
    double stretch = Math.max(scale, 1); // a filter as wide as the reduction
    RealMatrix matrix = new Array2DRowRealMatrix(to, from);
    for (int i = 0; i < to; i++) {
      double centre = scale * (i + 0.5);
      int first = Math.max(0, (int) (centre - 2 * stretch + 0.5));
      int end = Math.min(from, (int) (centre + 2 * stretch + 0.5));
      double sum = 0;
      for (int j = first; j < end; j++) {
        double weight = cubic((j - centre + 0.5) / stretch);
        matrix.setEntry(i, j, weight);
        sum += weight;
      }
      for (int j = first; j < end; j++) {
        matrix.setEntry(i, j, matrix.getEntry(i, j) / sum);
      }
    }
    return matrix;
  }

  /** Keys' cubic convolution with a = −1/2. */
  private static double cubic(double x) {
    double a = -0.5;
    double t = Math.abs(x);
    if (t < 1) {
      return ((a + 2) * t - (a + 3)) * t * t + 1;
    }
    return t < 2 ? (((t - 5) * t + 8) * t - 4) * a : 0;
  }
}
