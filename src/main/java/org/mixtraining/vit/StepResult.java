package org.mixtraining.vit;

import java.util.List;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.mixtraining.vit.layers.ClassHeadLayer;
import org.mixtraining.vit.layers.PixelReconstructionLayer;

/**
 * Losses and accuracy of a training step, before its update.
 *
 * @param loss the weighted sum of the losses
 * @param sslLoss mean squared error over masked patches; NaN in SL
 * @param slLoss mean cross-entropy over labelled images; NaN in SSL
 * @param correct labelled images whose most probable class was their label's
 * @param labelled images with a label
 */
public record StepResult(double loss, double sslLoss, double slLoss, int correct, int labelled) {

  /** That of no images, to which parts are added. */
  static final StepResult NONE = new StepResult(0, 0, 0, 0, 0);

  /** That of the pass that a graph has made, by the head of its task, if there is one. */
  static StepResult of(ComputationGraph graph, List<ClassHeadLayer> heads) {
    double ssl = Double.NaN;
    for (var layer : graph.getLayers()) {
      if (layer instanceof PixelReconstructionLayer pixels) {
        ssl = pixels.loss();
      }
    }
    if (heads.isEmpty()) {
      return new StepResult(graph.score(), ssl, Double.NaN, 0, 0);
    }
    ClassHeadLayer head = heads.get(0);
    return new StepResult(graph.score(), ssl, head.loss(), head.correct(), head.labelled());
  }

  /**
   * With a further part of the minibatch.
   *
   * @param result the part's, whose loss counts as much as it is to count in the whole
   */
  StepResult plus(StepResult result, Part part) {
    return new StepResult(
        loss + result.loss,
        sslLoss + result.sslLoss * part.ofImages(),
        slLoss + result.slLoss * part.ofLabels(),
        correct + result.correct,
        labelled + result.labelled);
  }
}
