package org.mixtraining.vit.layers;

import java.util.List;
import org.deeplearning4j.nn.api.layers.IOutputLayer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.mixtraining.kernels.Matrix;
import org.mixtraining.vit.ViTLayer;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/**
 * An output layer: a prediction and its loss, which a training step computes once, in its backward
 * pass; only a score that is asked for without one computes it again.
 */
public abstract class LossLayer<C extends ViTLayer> extends TokenLayer<C> implements IOutputLayer {
  private static final long serialVersionUID = 1L;

  private transient INDArray labels;
  private double loss;
  private boolean current; // whether the loss is that of the present input

  LossLayer(NeuralNetConfiguration conf, DataType dataType) {
    super(conf, dataType);
  }

  /**
   * The unweighted mean loss; its gradient by the prediction, times {@code weight}, is saved for
   * {@link #backward}.
   *
   * @param labels as this layer's documentation says
   */
  abstract double loss(Matrix input, Matrix labels, double weight);

  /** Carries the saved gradient to the parameters' gradients and to {@code dInput}. */
  abstract void backward(Matrix input, Matrix dInput);

  /** Factor with which this loss enters the graph's. */
  abstract double weight();

  /** The unweighted mean loss of the last step. */
  public double loss() {
    return loss;
  }

  @Override
  public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
    Matrix x = view(input);
    INDArray inputGradient = inputGradient(workspaces, x.rows(), x.cols());
    loss = loss(x, view(labels), weight());
    backward(x, Matrix.of(inputGradient));
    current = true;
    return new Pair<>(gradients(), inputGradient);
  }

  @Override
  public double computeScore(
      double regularization, boolean training, LayerWorkspaceMgr workspaces) {
    if (!current) {
      loss = loss(view(input), view(labels), weight());
    }
    score = weight() * loss + regularization;
    return score;
  }

  @Override
  public void setInput(INDArray input, LayerWorkspaceMgr workspaces) {
    super.setInput(input, workspaces);
    current = false;
  }

  @Override
  public boolean needsLabels() {
    return true;
  }

  @Override
  public void setLabels(INDArray labels) {
    this.labels = labels;
  }

  @Override
  public INDArray getLabels() {
    return labels;
  }

  @Override
  public void clear() {
    super.clear();
    labels = null;
  }

  // --- of Deeplearning4j's Classifier, which an output layer within a graph does not serve -------

  @Override
  public INDArray computeScoreForExamples(double regularization, LayerWorkspaceMgr workspaces) {
    throw new UnsupportedOperationException("scores are computed per minibatch");
  }

  @Override
  public double f1Score(DataSet data) {
    throw withinGraph();
  }

  @Override
  public double f1Score(INDArray examples, INDArray labels) {
    throw withinGraph();
  }

  @Override
  @Deprecated
  public int numLabels() {
    throw withinGraph();
  }

  @Override
  public void fit(DataSetIterator iterator) {
    throw withinGraph();
  }

  @Override
  public int[] predict(INDArray examples) {
    throw withinGraph();
  }

  @Override
  public List<String> predict(DataSet dataSet) {
    throw withinGraph();
  }

  @Override
  public void fit(INDArray examples, INDArray labels) {
    throw withinGraph();
  }

  @Override
  public void fit(DataSet data) {
    throw withinGraph();
  }

  @Override
  public void fit(INDArray examples, int[] labels) {
    throw withinGraph();
  }

  private static UnsupportedOperationException withinGraph() {
    return new UnsupportedOperationException("use the ComputationGraph that this layer is part of");
  }
}
