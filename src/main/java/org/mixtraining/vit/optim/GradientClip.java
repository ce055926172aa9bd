package org.mixtraining.vit.optim;

import java.util.function.IntConsumer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.mixtraining.kernels.Matrix;
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
    double[] squares = new double[slices(gradient)];
    forEachSlice(
        gradient,
        slice -> {
          double sum = 0;
          for (int i = slice * SLICE; i < end(gradient, slice); i++) {
            double g = gradient.get(0, i);
            sum += g * g;
          }
          squares[slice] = sum;
        });
    double sum = 0;
    for (double square : squares) {
      sum += square;
    }
    return Math.sqrt(sum);
  }

  private static void scale(Matrix gradient, double factor) {
    forEachSlice(
        gradient,
        slice -> {
          for (int i = slice * SLICE; i < end(gradient, slice); i++) {
            gradient.set(0, i, (float) (factor * gradient.get(0, i)));
          }
        });
  }

  private static void forEachSlice(Matrix gradient, IntConsumer body) {
    Compute.current().engine().parallel(slices(gradient), (thread, slice) -> body.accept(slice));
  }

  private static int slices(Matrix gradient) {
    return (gradient.cols() + SLICE - 1) / SLICE;
  }

  private static int end(Matrix gradient, int slice) {
    return Math.min((slice + 1) * SLICE, gradient.cols());
  }
}
