package org.mixtraining.train;

import java.util.Comparator;
import java.util.PriorityQueue;
import org.mixtraining.kernels.Engine;
import org.mixtraining.kernels.Matrix;

/**
 * The weighted k-nearest-neighbour classifier on frozen features: each of the {@value #NEIGHBOURS}
 * training images of highest cosine similarity s votes for its label with weight exp(s / {@value
 * #TEMPERATURE}) (Wu et al., arXiv 1805.01978; Caron et al., DINO, arXiv 2104.14294). Nothing is
 * trained, so it judges the features alone.
 *
 * @param training labelled images, at least one
 */
public record NearestNeighbours(Engine engine, Features training, int classes)
    implements FeatureClassifier {

  public static final int NEIGHBOURS = 20;
  static final double TEMPERATURE = 0.07;

  private static final int CHUNK = 64;

  public NearestNeighbours {
    training = unitLength(training);
  }

  private record Neighbour(int image, float similarity) {
    /** The least similar first; of equals the later image. */
    static final Comparator<Neighbour> FURTHEST =
        Comparator.comparingDouble(Neighbour::similarity)
            .thenComparing(Neighbour::image, Comparator.reverseOrder());
  }

  @Override
  public int[] predict(Features images) {
    int[] predicted = new int[images.images()];
    Features queries = unitLength(images);
    try (Matrix columns = transposed(training)) {
      engine
          .workerThreads()
          .slices(
              predicted.length,
              CHUNK,
              (from, to) -> {
                try (Matrix rows = queries.rows(from, to);
                    Matrix similarities = Matrix.allocate(to - from, training.images())) {
                  engine.kernels().matmul(rows, columns, similarities);
                  for (int i = from; i < to; i++) {
                    predicted[i] = vote(similarities, i - from);
                  }
                }
              });
    }
    return predicted;
  }

  private int vote(Matrix similarities, int row) {
    var nearest = new PriorityQueue<>(NEIGHBOURS + 1, Neighbour.FURTHEST);
    for (int i = 0; i < similarities.cols(); i++) {
      float similarity = similarities.get(row, i);
      if (nearest.size() < NEIGHBOURS || similarity > nearest.element().similarity()) {
        nearest.add(new Neighbour(i, similarity));
        if (nearest.size() > NEIGHBOURS) {
          nearest.remove();
        }
      }
    }
    double[] votes = new double[classes];
    for (Neighbour neighbour : nearest) {
      votes[training.labels()[neighbour.image()]] += Math.exp(neighbour.similarity() / TEMPERATURE);
    }
    int best = 0;
    for (int c = 1; c < classes; c++) {
      best = votes[c] > votes[best] ? c : best;
    }
    return best;
  }

  private static Features unitLength(Features images) {
    int dim = images.dim();
    float[] values = images.values().clone();
    for (int i = 0; i < images.images(); i++) {
      double squares = 0;
      for (int d = i * dim; d < (i + 1) * dim; d++) {
        squares += (double) values[d] * values[d];
      }
      double length = Math.max(Math.sqrt(squares), 1e-12);
      for (int d = i * dim; d < (i + 1) * dim; d++) {
        values[d] = (float) (values[d] / length);
      }
    }
    return new Features(values, images.labels());
  }

  /** [dim, images]. */
  private static Matrix transposed(Features images) {
    int dim = images.dim();
    float[] columns = new float[images.values().length];
    for (int i = 0; i < images.images(); i++) {
      for (int d = 0; d < dim; d++) {
        columns[d * images.images() + i] = images.values()[i * dim + d];
      }
    }
    return Matrix.copyOf(columns, 0, dim, images.images());
  }
}
