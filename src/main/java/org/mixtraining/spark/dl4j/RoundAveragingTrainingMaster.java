package org.mixtraining.spark.dl4j;

import java.util.Collection;
import java.util.Iterator;
import java.util.function.Function;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function2;
import org.deeplearning4j.core.loader.DataSetLoader;
import org.deeplearning4j.core.loader.MultiDataSetLoader;
import org.deeplearning4j.core.storage.StatsStorageRouter;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.deeplearning4j.spark.api.TrainingHook;
import org.deeplearning4j.spark.api.TrainingResult;
import org.deeplearning4j.spark.api.TrainingWorker;
import org.deeplearning4j.spark.api.stats.SparkTrainingStats;
import org.deeplearning4j.spark.impl.graph.SparkComputationGraph;
import org.deeplearning4j.spark.impl.multilayer.SparkDl4jMultiLayer;
import org.deeplearning4j.spark.impl.paramavg.BaseTrainingMaster;
import org.mixtraining.run.WorkerResult;
import org.mixtraining.train.TrainingBatch;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * Trains one round on an RDD whose partition w holds worker w's minibatches, and averages the
 * workers once, at its end.
 *
 * <p>Unlike dl4j-spark's ParameterAveragingTrainingMaster it does not count the data first, weights
 * the average by images, sums in worker order, and carries the step counts into the workers. State
 * goes into the workers and comes out as their average: it does not pass through the graph that
 * SparkComputationGraph asks for on the driver.
 *
 * @param <A> what the workers' states are averaged to
 */
public final class RoundAveragingTrainingMaster<A>
    extends BaseTrainingMaster<TrainingResult, TrainingWorker<TrainingResult>> {

  private final Function2<Integer, Iterator<TrainingBatch>, Iterator<WorkerResult>> worker;
  private final Function<JavaRDD<WorkerResult>, A> average;
  private A averaged;

  /**
   * @param worker trains on the minibatches of a partition, in a task
   * @param average runs the tasks and averages what they end with
   */
  public RoundAveragingTrainingMaster(
      Function2<Integer, Iterator<TrainingBatch>, Iterator<WorkerResult>> worker,
      Function<JavaRDD<WorkerResult>, A> average) {
    this.worker = worker;
    this.average = average;
  }

  /** Trains the round through dl4j-spark. */
  public A fit(
      JavaSparkContext spark,
      ComputationGraphConfiguration graph,
      JavaRDD<TrainingBatch> minibatches) {
    new SparkComputationGraph(spark, new ConfigurationOnly(graph), this)
        .fitMultiDataSet(minibatches.map(BatchDataSet::new));
    return averaged;
  }

  @Override
  public void executeTrainingMDS(SparkComputationGraph graph, JavaRDD<MultiDataSet> minibatches) {
    averaged =
        average.apply(minibatches.map(BatchDataSet::of).mapPartitionsWithIndex(worker, true));
  }

  /**
   * The graph on the driver, which takes no steps. SparkComputationGraph cannot do without one,
   * would give it parameters, gradients and an updater, and counts epochs in its layers.
   */
  private static final class ConfigurationOnly extends ComputationGraph {
    private static final long serialVersionUID = 1L;

    ConfigurationOnly(ComputationGraphConfiguration configuration) {
      super(configuration);
    }

    @Override
    public void init() {
      // Without parameters.
    }

    @Override
    public void incrementEpochCount() {
      // Plans count epochs.
    }
  }

  // --- what dl4j-spark's interface has besides: SparkComputationGraph calls it for other data ----

  @Override
  public TrainingWorker<TrainingResult> getWorkerInstance(SparkDl4jMultiLayer network) {
    throw unsupported();
  }

  @Override
  public TrainingWorker<TrainingResult> getWorkerInstance(SparkComputationGraph graph) {
    throw unsupported();
  }

  @Override
  public void executeTraining(SparkDl4jMultiLayer network, JavaRDD<DataSet> data) {
    throw unsupported();
  }

  @Override
  public void executeTraining(SparkComputationGraph graph, JavaRDD<DataSet> data) {
    throw unsupported();
  }

  @Override
  public void executeTrainingPaths(
      SparkDl4jMultiLayer network,
      SparkComputationGraph graph,
      JavaRDD<String> paths,
      DataSetLoader loader,
      MultiDataSetLoader multiLoader) {
    throw unsupported();
  }

  @Override
  public void addHook(TrainingHook hook) {
    throw unsupported();
  }

  @Override
  public void removeHook(TrainingHook hook) {
    throw unsupported();
  }

  @Override
  public void setListeners(Collection<TrainingListener> listeners) {
    throw unsupported();
  }

  @Override
  public void setListeners(StatsStorageRouter router, Collection<TrainingListener> listeners) {
    throw unsupported();
  }

  @Override
  public void setCollectTrainingStats(boolean collect) {
    throw unsupported();
  }

  @Override
  public boolean getIsCollectTrainingStats() {
    return false;
  }

  @Override
  public SparkTrainingStats getTrainingStats() {
    return null;
  }

  @Override
  public String toJson() {
    throw unsupported();
  }

  @Override
  public String toYaml() {
    throw unsupported();
  }

  private static UnsupportedOperationException unsupported() {
    return new UnsupportedOperationException(
        "an RoundAveragingTrainingMaster trains one round on TrainingBatches; call fit");
  }
}
