package org.mixtraining.vit.optim;

import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.vit.layers.Compute;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Clips a step's gradient to a maximum norm, over all parameters of the graph together, before the
 * updaters see it (Pascanu et al., arXiv 1211.5063). The squares are summed in double precision
 * slice by slice, so that the norm has the same bits on any number of threads.
 */
public final class GradientClip extends BaseTrainingListener {

  private static final int SLICE = 1 << 16;

  private final double greatest;

  /**
   * @param greatest the norm that is left, above 0
   */
  public GradientClip(double greatest) {
    this.greatest = greatest;
  }

  @Override
  public void onGradientCalculation(Model model) {
    INDArray flat = ((ComputationGraph) model).getFlattenedGradients();
    Matrix gradient = Matrix.of(flat.reshape(flat.length()));
    double norm = norm(gradient);
    if (norm > greatest) {
      scale(gradient, greatest / norm);
    }
  }

  private static double norm(Matrix gradient) {
    double[] squares = new double[(gradient.cols() + SLICE - 1) / SLICE];
    threads()
        .slices(
            gradient.cols(),
            SLICE,
            (from, to) -> {
              double sum = 0;
              for (int i = from; i < to; i++) {
                double g = gradient.get(0, i);
                sum += g * g;
              }
              squares[from / SLICE] = sum;
            });
    double sum = 0;
    for (double square : squares) {
      sum += square;
    }
    return Math.sqrt(sum);
  }

  private static void scale(Matrix gradient, double factor) {
    threads()
        .slices(
            gradient.cols(),
            SLICE,
            (from, to) -> {
              for (int i = from; i < to; i++) {
                gradient.set(0, i, (float) (factor * gradient.get(0, i)));
              }
            });
  }

  private static WorkerThreads threads() {
    return Compute.current().engine().workerThreads();
  }
}
