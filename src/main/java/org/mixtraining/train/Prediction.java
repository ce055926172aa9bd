package org.mixtraining.train;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.mixtraining.data.Minibatch;

/**
 * A classifier's prediction for an image.
 *
 * @param id the image's id in its dataset
 * @param label class index
 * @param predicted the most probable class; of equal ones the first
 * @param probability that class's, 0 to 1
 */
public record Prediction(long id, int label, int predicted, float probability)
    implements Serializable {

  /** Of every image, by the head of its task, in the order of the images. */
  public static List<Prediction> of(
      Predictor predictor, String head, Iterator<Minibatch> minibatches) {
    List<Prediction> all = new ArrayList<>();
    while (minibatches.hasNext()) {
      Minibatch batch = minibatches.next();
      float[] said = predictor.predict(head, batch.pixels(), batch.size(), batch.height());
      all.addAll(of(said, batch.ids(), batch.labels()));
    }
    return all;
  }

  /**
   * @param probabilities [images, classes], row-major
   */
  static List<Prediction> of(float[] probabilities, long[] ids, int[] labels) {
    int classes = probabilities.length / ids.length;
    List<Prediction> predictions = new ArrayList<>();
    for (int i = 0; i < ids.length; i++) {
      float[] own = Arrays.copyOfRange(probabilities, i * classes, (i + 1) * classes);
      int most = Classifier.mostProbable(own);
      predictions.add(new Prediction(ids[i], labels[i], most, own[most]));
    }
    return predictions;
  }
}
