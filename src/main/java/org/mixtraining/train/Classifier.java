package org.mixtraining.train;

import java.util.Arrays;
import java.util.List;
import org.mixtraining.config.WorkersConfig.Precision;
import org.mixtraining.formats.ModelCard;
import org.mixtraining.formats.TrainedModel;
import org.mixtraining.kernels.Device;
import org.mixtraining.vit.Head;

/**
 * A trained model with the head of one of its tasks; safe for use by any number of threads. It
 * computes in float32, so that an answer does not depend on the kind of processor.
 *
 * @param graph the model's, as JSON
 * @param threads compute threads of each call
 */
public record Classifier(TrainedModel model, ModelCard.Task task, String graph, int threads) {

  public Classifier(TrainedModel model, ModelCard.Task task, int threads) {
    this(model, task, model.graph(), threads);
  }

  /**
   * Class probabilities of each image.
   *
   * @param images uint8, [channels, size, size] each, as the task's images are
   * @return [images][classes]
   */
  public float[][] probabilities(List<byte[]> images) {
    if (images.isEmpty()) {
      return new float[0][];
    }
    float[] pixels = task.normalization().apply(images);
    int classes = task.classes().size();
    float[] all;
    try (ReplicaPool.Lease lease =
        ReplicaPool.borrow(
            ReplicaPool.Purpose.PREDICTION, graph, Device.any(threads, Precision.FP32))) {
      lease.show(model.state());
      all =
          lease.replica().predict(Head.name(task.name()), pixels, images.size(), task.imageSize());
      lease.done();
    }
    float[][] rows = new float[images.size()][];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = Arrays.copyOfRange(all, i * classes, (i + 1) * classes);
    }
    return rows;
  }

  /** The class of the highest probability; of equal ones the first. */
  public static int mostProbable(float[] probabilities) {
    int best = 0;
    for (int c = 1; c < probabilities.length; c++) {
      if (probabilities[c] > probabilities[best]) {
        best = c;
      }
    }
    return best;
  }
}
