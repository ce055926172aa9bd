package org.mixtraining.vit;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.mixtraining.kernels.Matrix;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Part of a training minibatch, for steps on more images than are computed on at a time. Losses are
 * means, over images and over labels: weighted by the part's share of each they add up to those of
 * the whole minibatch, and so do their gradients.
 *
 * @param arrays of {@link Batch}
 * @param ids of its images, if they have any
 * @param ofImages its share of the minibatch's images
 * @param ofLabels its share of those with a label; 1 where none has one
 * @param last of the minibatch's parts
 */
record Part(MultiDataSet arrays, long[] ids, double ofImages, double ofLabels, boolean last) {

  /** A minibatch in so many parts of nearly one size, or in as many as it has images. */
  static List<Part> of(MultiDataSet minibatch, long[] ids, int parts) {
    int images = (int) minibatch.getFeatures(0).size(0);
    int count = Math.min(parts, images);
    if (count == 1) {
      return List.of(new Part(minibatch, ids, 1, 1, true));
    }
    int labelled = labelled(minibatch);
    return IntStream.range(0, count)
        .mapToObj(
            i -> {
              int from = (int) ((long) images * i / count);
              int to = (int) ((long) images * (i + 1) / count);
              MultiDataSet rows = rows(minibatch, from, to);
              return new Part(
                  rows,
                  ids.length == 0 ? ids : Arrays.copyOfRange(ids, from, to),
                  (double) (to - from) / images,
                  labelled == 0 ? 1 : (double) labelled(rows) / labelled,
                  i == count - 1);
            })
        .toList();
  }

  private static MultiDataSet rows(MultiDataSet minibatch, int from, int to) {
    return new org.nd4j.linalg.dataset.MultiDataSet(
        rows(minibatch.getFeatures(), from, to),
        rows(minibatch.getLabels(), from, to),
        rows(minibatch.getFeaturesMaskArrays(), from, to),
        null);
  }

  /** Views, not copies. */
  private static INDArray[] rows(INDArray[] arrays, int from, int to) {
    return arrays == null
        ? null
        : Stream.of(arrays)
            .map(array -> array.get(NDArrayIndex.interval(from, to)))
            .toArray(INDArray[]::new);
  }

  /** Images with a label: of the arrays, targets alone are of rank 2. */
  private static int labelled(MultiDataSet minibatch) {
    INDArray last = minibatch.getLabels(minibatch.getLabels().length - 1);
    if (last.rank() != 2) {
      return 0;
    }
    Matrix targets = Matrix.of(last);
    return (int)
        IntStream.range(0, targets.rows())
            .filter(i -> targets.get(i, targets.largest(i)) > 0)
            .count();
  }
}
