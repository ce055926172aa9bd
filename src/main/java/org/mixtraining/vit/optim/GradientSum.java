package org.mixtraining.vit.optim;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.vit.layers.Compute;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * Sums the gradients of a minibatch's parts: of all but the last they are {@linkplain #keep kept},
 * and added to that of the last before anything else sees it. The sum is taken in the order of the
 * parts, so its bits do not depend on threads.
 */
public final class GradientSum extends BaseTrainingListener {

  private final int parts;
  private Matrix sum; // null between two steps

  /**
   * @param parts of a minibatch, at least 2
   */
  public GradientSum(int parts) {
    this.parts = parts;
  }

  /**
   * Sets what happens to a graph's gradient before the updaters see it: it is summed first, and
   * then clipped.
   */
  public static void listen(ComputationGraph graph, EpochPlan plan) {
    List<TrainingListener> listeners = new ArrayList<>(graph.getListeners());
    listeners.removeIf(l -> l instanceof GradientSum || l instanceof GradientClip);
    if (plan.parts() > 1) {
      listeners.add(0, new GradientSum(plan.parts()));
    }
    if (plan.clip() > 0) {
      listeners.add(new GradientClip(plan.clip()));
    }
    graph.setListeners(listeners);
  }

  /** That of a graph, if it takes minibatches in parts. */
  public static Optional<GradientSum> of(ComputationGraph graph) {
    return graph.getListeners().stream()
        .filter(GradientSum.class::isInstance)
        .map(GradientSum.class::cast)
        .findFirst();
  }

  public int parts() {
    return parts;
  }

  /** Computes the gradient of a part without taking a step, and keeps it. */
  public void keep(ComputationGraph graph, MultiDataSet part) {
    graph.setLayerMaskArrays(part.getFeaturesMaskArrays(), null);
    graph.setInputs(part.getFeatures());
    graph.setLabels(part.getLabels());
    graph.computeGradientAndScore();
    graph.clearLayerMaskArrays();
    Matrix gradient = gradient(graph);
    if (sum == null) {
      sum = Compute.current().gradientSum(gradient.cols());
      sum.copyFrom(gradient);
    } else {
      add(gradient, sum);
    }
  }

  @Override
  public void onGradientCalculation(Model model) {
    if (sum != null) {
      add(sum, gradient((ComputationGraph) model));
      sum = null;
    }
  }

  private static Matrix gradient(ComputationGraph graph) {
    INDArray flat = graph.getFlattenedGradients();
    return Matrix.of(flat.reshape(flat.length()));
  }

  private static void add(Matrix gradient, Matrix to) {
    ParameterLoop.over(
        to.cols(),
        (kernels, from, size) ->
            kernels.addScaled(gradient.slice(from, 1, size), 1, to.slice(from, 1, size)));
  }
}
