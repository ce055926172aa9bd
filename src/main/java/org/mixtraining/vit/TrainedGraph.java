package org.mixtraining.vit;

import java.util.Collection;
import java.util.Map;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.optimize.Solver;
import org.deeplearning4j.optimize.api.ConvexOptimizer;
import org.deeplearning4j.optimize.api.StepFunction;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.deeplearning4j.optimize.solvers.StochasticGradientDescent;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.vit.optim.ParameterLoop;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A ComputationGraph whose steps cost less beside the layers: Deeplearning4j subtracts updates on
 * one thread and makes dozens of arrays for every parameter, which is felt in small minibatches.
 * Otherwise it is the plain graph, to the bit.
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

  /** Gradient descent, as Deeplearning4j would choose it, but for what surrounds the updaters. */
  private static final class SharedWork extends Solver {
    private final ConvexOptimizer optimizer;

    SharedWork(
        ComputationGraph graph,
        NeuralNetConfiguration configuration,
        Collection<TrainingListener> listeners) {
      optimizer = new Descent(configuration, listeners, graph);
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

  private static final class Descent extends StochasticGradientDescent {
    Descent(
        NeuralNetConfiguration configuration,
        Collection<TrainingListener> listeners,
        ComputationGraph graph) {
      super(configuration, new Subtraction(), listeners, graph);
    }

    @Override
    public void updateGradientAccordingToParams(
        Gradient gradient, Model model, int batchSize, LayerWorkspaceMgr workspaces) {
      super.updateGradientAccordingToParams(
          new OwnGradient(gradient, ((ComputationGraph) model).getFlattenedGradients()),
          model,
          batchSize,
          workspaces);
    }
  }

  /**
   * A graph's gradient as the very array that its updater knows. Deeplearning4j gives a view of it,
   * takes that for another graph's, and cuts it and the parameters anew for every parameter.
   */
  private static final class OwnGradient extends DefaultGradient {
    private static final long serialVersionUID = 1L;

    private final transient Gradient named;
    private final transient INDArray all;

    OwnGradient(Gradient named, INDArray all) {
      this.named = named;
      this.all = all;
    }

    @Override
    public INDArray gradient() {
      return all;
    }

    @Override
    public Map<String, INDArray> gradientForVariable() {
      return named.gradientForVariable();
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
