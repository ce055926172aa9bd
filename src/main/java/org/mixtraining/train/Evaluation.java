package org.mixtraining.train;

import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.mixtraining.data.Minibatch;

/** Evaluation of a classifier on held-out images. */
public final class Evaluation {

  private Evaluation() {}

  /** Scores the predictions of every image, by the head of its task, against its label. */
  public static Score run(Predictor predictor, String head, Iterator<Minibatch> minibatches) {
    Score score = Score.NONE;
    while (minibatches.hasNext()) {
      Minibatch batch = minibatches.next();
      float[] said = predictor.predict(head, batch.pixels(), batch.size(), batch.height());
      score = score.plus(score(said, batch.labels()));
    }
    return score;
  }

  /**
   * @param probabilities [images, classes], row-major
   */
  static Score score(float[] probabilities, int[] labels) {
    int classes = probabilities.length / labels.length;
    Score.OfClass[] scores = new Score.OfClass[classes];
    Arrays.fill(scores, Score.OfClass.NONE);
    for (int i = 0; i < labels.length; i++) {
      int label = labels[i];
      int ahead = ahead(probabilities, i * classes, classes, label);
      double loss = -Math.log(Math.max(probabilities[i * classes + label], Float.MIN_NORMAL));
      scores[label] =
          scores[label].plus(new Score.OfClass(1, ahead < 1 ? 1 : 0, ahead < 5 ? 1 : 0, loss));
    }
    return new Score(List.of(scores));
  }

  /** Classes before the label in falling order of probability; of equal ones the first is first. */
  private static int ahead(float[] values, int from, int classes, int label) {
    float own = values[from + label];
    int ahead = 0;
    for (int c = 0; c < classes; c++) {
      float other = values[from + c];
      boolean behind = own > other || (own == other && label <= c);
      ahead += behind ? 0 : 1;
    }
    return ahead;
  }
}
