package org.mixtraining.train;

import java.util.Iterator;
import org.mixtraining.data.Minibatch;
import org.mixtraining.vit.Replica;

/** A classifier's way through images that it was not trained on. */
public final class Evaluation {

  private Evaluation() {}

  /** Predicts every image and holds it against its label. */
  public static Score run(Replica replica, Iterator<Minibatch> minibatches) {
    Score score = Score.NONE;
    while (minibatches.hasNext()) {
      Minibatch batch = minibatches.next();
      score = score.plus(score(replica.predict(batch.pixels(), batch.size()), batch.labels()));
    }
    return score;
  }

  /**
   * @param probabilities [images, classes], row-major
   */
  static Score score(float[] probabilities, int[] labels) {
    int classes = probabilities.length / labels.length;
    long correct = 0;
    double loss = 0;
    for (int i = 0; i < labels.length; i++) {
      int from = i * classes;
      correct += largest(probabilities, from, classes) == labels[i] ? 1 : 0;
      loss -= Math.log(Math.max(probabilities[from + labels[i]], Float.MIN_NORMAL));
    }
    return new Score(labels.length, correct, loss);
  }

  private static int largest(float[] values, int from, int count) {
    int best = 0;
    for (int i = 1; i < count; i++) {
      if (values[from + i] > values[from + best]) {
        best = i;
      }
    }
    return best;
  }
}
