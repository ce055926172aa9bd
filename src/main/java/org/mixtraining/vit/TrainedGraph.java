package org.mixtraining.vit;

import java.util.Collection;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.optimize.Solver;
import org.deeplearning4j.optimize.api.ConvexOptimizer;
import org.deeplearning4j.optimize.api.StepFunction;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.deeplearning4j.optimize.solvers.StochasticGradientDescent;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.vit.optim.ParameterLoop;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A ComputationGraph that subtracts its updates on all of an engine's threads: Deeplearning4j does
 * so on one, and in small minibatches that is felt. Otherwise it is the plain graph, to the bit.
 */
final class TrainedGraph extends ComputationGraph {
  private static final long serialVersionUID = 1L;

  TrainedGraph(ComputationGraphConfiguration configuration) {
    super(configuration);
  }

  @Override
  public void init(INDArray parameters, boolean cloneParameters) {
    if (initCalled) { // Spark's view of a graph calls init() again, and moments are the solver's
      return;
    }
    super.init(parameters, cloneParameters);
    solver = new SharedWork(this, conf(), getListeners());
  }

  /** Gradient descent, as Deeplearning4j would choose it, but for the last pass of a step. */
  private static final class SharedWork extends Solver {
    private final ConvexOptimizer optimizer;

    SharedWork(
        ComputationGraph graph,
        NeuralNetConfiguration configuration,
        Collection<TrainingListener> listeners) {
      optimizer = new StochasticGradientDescent(configuration, new Subtraction(), listeners, graph);
    }

    @Override
    public ConvexOptimizer getOptimizer() {
      return optimizer;
    }

    @Override
    public void setListeners(Collection<TrainingListener> listeners) {
      optimizer.setListeners(listeners);
    }
  }

  private static final class Subtraction implements StepFunction {
    private static final long serialVersionUID = 1L;

    @Override
    public void step(INDArray parameters, INDArray update) {
      Matrix all = Matrix.of(parameters);
      Matrix updates = Matrix.of(update);
      ParameterLoop.over(
          all.cols(),
          (kernels, from, size) ->
              kernels.addScaled(updates.slice(from, 1, size), -1, all.slice(from, 1, size)));
    }

    @Override
    public void step(INDArray parameters, INDArray update, double size) {
      throw new UnsupportedOperationException("updates come scaled by their learning rate");
    }

    @Override
    public void step() {
      throw new UnsupportedOperationException("a step needs an update");
    }
  }
}
