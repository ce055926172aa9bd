package org.mixtraining.train;

/** A classifier on features. */
public interface FeatureClassifier {

  /** The predicted label of each image. */
  int[] predict(Features images);

  /** Share of the images predicted correctly; NaN of none. */
  default double accuracy(Features images) {
    int[] predicted = images.images() == 0 ? new int[0] : predict(images);
    int correct = 0;
    for (int i = 0; i < predicted.length; i++) {
      correct += predicted[i] == images.labels()[i] ? 1 : 0;
    }
    return (double) correct / predicted.length;
  }
}
