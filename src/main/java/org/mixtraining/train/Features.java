package org.mixtraining.train;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.mixtraining.data.Minibatch;
import org.mixtraining.kernels.Matrix;

/**
 * The features that an encoder gives images, and their labels.
 *
 * @param values [images, dim], row-major
 * @param labels class indices; −1 where the label may not be used
 */
public record Features(float[] values, int[] labels) implements Serializable {

  /** Features by the model that a predictor has loaded. */
  public static Features of(Predictor predictor, Iterator<Minibatch> minibatches) {
    List<Features> parts = new ArrayList<>();
    while (minibatches.hasNext()) {
      Minibatch batch = minibatches.next();
      float[] values = predictor.features(batch.pixels(), batch.size(), batch.height());
      parts.add(new Features(values, batch.labels()));
    }
    return concat(parts);
  }

  public int images() {
    return labels.length;
  }

  /** Width of an image's features; unknown without images. */
  public int dim() {
    return values.length / Math.max(1, labels.length);
  }

  /** The images of all parts, in their order. */
  public static Features concat(List<Features> parts) {
    float[] values = new float[parts.stream().mapToInt(part -> part.values.length).sum()];
    int at = 0;
    for (Features part : parts) {
      System.arraycopy(part.values, 0, values, at, part.values.length);
      at += part.values.length;
    }
    return new Features(
        values, parts.stream().flatMapToInt(part -> Arrays.stream(part.labels)).toArray());
  }

  /** Images from (inclusive) to (exclusive) as a matrix, which is the caller's to close. */
  Matrix rows(int from, int to) {
    return Matrix.copyOf(values, from * dim(), to - from, dim());
  }
}
