package org.mixtraining.train;

import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;
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
 * @param device that it computes on
 */
public record Classifier(TrainedModel model, ModelCard.Task task, String graph, Device device) {

  /** One that computes on the CPU, with so many threads a call. */
  public Classifier(TrainedModel model, ModelCard.Task task, int threads) {
    this(model, task, Device.any(threads, Precision.FP32));
  }

  public Classifier(TrainedModel model, ModelCard.Task task, Device device) {
    this(model, task, model.graph(), device);
  }

  /**
   * Class probabilities of each image.
   *
   * @param images uint8, [channels, size, size] each, as the task's images are
   * @return [images][classes]
   */
  public float[][] probabilities(List<byte[]> images) {
    return ask(
        images,
        task.classes().size(),
        (predictor, pixels) ->
            predictor.predict(Head.name(task.name()), pixels, images.size(), task.imageSize()));
  }

  /**
   * What the head is given of each image: its pooled tokens.
   *
   * @param images uint8, [channels, size, size] each, as the task's images are
   * @return [images][dim]
   */
  public float[][] features(List<byte[]> images) {
    return ask(
        images,
        model.card().vit().encoder().dim(),
        (predictor, pixels) -> predictor.features(pixels, images.size(), task.imageSize()));
  }

  /**
   * What a predictor of the model says of images.
   *
   * @param width numbers that it says of each
   */
  private float[][] ask(
      List<byte[]> images, int width, BiFunction<Predictor, float[], float[]> question) {
    if (images.isEmpty()) {
      return new float[0][];
    }
    float[] pixels = task.normalization().apply(images);
    float[] all;
    device.bind();
    try (ReplicaPool.Lease lease =
        ReplicaPool.borrow(ReplicaPool.Purpose.PREDICTION, graph, device)) {
      Predictor predictor = lease.predictor();
      lease.show(model.state(), predictor::load);
      all = question.apply(predictor, pixels);
      lease.done();
    }
    float[][] rows = new float[images.size()][];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = Arrays.copyOfRange(all, i * width, (i + 1) * width);
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
