package org.mixtraining.spark;

import java.util.Collection;
import java.util.List;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.deeplearning4j.core.loader.DataSetLoader;
import org.deeplearning4j.core.loader.MultiDataSetLoader;
import org.deeplearning4j.core.storage.StatsStorageRouter;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.deeplearning4j.spark.api.TrainingHook;
import org.deeplearning4j.spark.api.TrainingMaster;
import org.deeplearning4j.spark.api.stats.SparkTrainingStats;
import org.deeplearning4j.spark.impl.graph.SparkComputationGraph;
import org.deeplearning4j.spark.impl.multilayer.SparkDl4jMultiLayer;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.vit.Replica;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * Trains one epoch on an RDD whose partition w holds worker w's minibatches, and averages the
 * workers once, at its end.
 *
 * <p>Unlike dl4j-spark's ParameterAveragingTrainingMaster it does not count the data first, weights
 * the average by images, sums in worker order, carries the step counts into the workers, and
 * destroys its broadcast.
 */
public final class EpochAveragingTrainingMaster
    implements TrainingMaster<WorkerResult, EpochWorker> {

  private final EpochPlan plan;
  private final String graph;
  private final WorkerDevices devices;
  private final StateExchange exchange;
  private List<WorkerResult> reports = List.of();

  /**
   * @param plan the epoch
   * @param graph JSON of the graph's configuration as it was made: the network's own counts epochs
   *     and steps, and workers would not know a replica of theirs again by it
   * @param devices what workers compute on
   * @param exchange how the workers' states are averaged
   */
  EpochAveragingTrainingMaster(
      EpochPlan plan, String graph, WorkerDevices devices, StateExchange exchange) {
    this.plan = plan;
    this.graph = graph;
    this.devices = devices;
    this.exchange = exchange;
  }

  /** What the workers of the epoch report, in worker order: all but their states' values. */
  List<WorkerResult> reports() {
    return reports;
  }

  /** Trains from the network's parameters and updater state, and leaves their average there. */
  @Override
  public void executeTrainingMDS(SparkComputationGraph network, JavaRDD<MultiDataSet> minibatches) {
    Replica replica = new Replica(network.getNetwork());
    EpochTask task = new EpochTask(plan, graph, replica.state(), devices);
    Broadcast<EpochTask> broadcast = network.getSparkContext().broadcast(task);
    try {
      StateExchange.Averaged averaged =
          exchange.average(
              minibatches.mapPartitionsWithIndex(new EpochWorker(broadcast), true), task.state());
      reports = averaged.reports();
      replica.load(averaged.state());
      network.setScore(loss());
    } finally {
      broadcast.destroy();
    }
  }

  private double loss() {
    double images = reports.stream().mapToLong(r -> r.metrics().images()).sum();
    return reports.stream().mapToDouble(r -> r.metrics().loss()).sum() / images;
  }

  @Override
  public EpochWorker getWorkerInstance(SparkComputationGraph graph) {
    throw minibatchesOnly();
  }

  // --- the rest of dl4j-spark's interface -------------------------------------------------------

  @Override
  public EpochWorker getWorkerInstance(SparkDl4jMultiLayer network) {
    throw minibatchesOnly();
  }

  @Override
  public void executeTraining(SparkDl4jMultiLayer network, JavaRDD<DataSet> data) {
    throw minibatchesOnly();
  }

  @Override
  public void executeTraining(SparkComputationGraph graph, JavaRDD<DataSet> data) {
    throw minibatchesOnly();
  }

  @Override
  public void executeTrainingPaths(
      SparkDl4jMultiLayer network,
      SparkComputationGraph graph,
      JavaRDD<String> paths,
      DataSetLoader loader,
      MultiDataSetLoader multiLoader) {
    throw minibatchesOnly();
  }

  private static UnsupportedOperationException minibatchesOnly() {
    return new UnsupportedOperationException(
        "an EpochAveragingTrainingMaster trains graphs on MultiDataSets: fitMultiDataSet(JavaRDD)");
  }

  @Override
  public void addHook(TrainingHook hook) {
    throw new UnsupportedOperationException("hooks are not called");
  }

  @Override
  public void removeHook(TrainingHook hook) {
    throw new UnsupportedOperationException("hooks are not called");
  }

  @Override
  public String toJson() {
    throw new UnsupportedOperationException("a training master serves one epoch");
  }

  @Override
  public String toYaml() {
    throw new UnsupportedOperationException("a training master serves one epoch");
  }

  @Override
  public void setCollectTrainingStats(boolean collect) {
    // Times are part of every result.
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
  public void setListeners(Collection<TrainingListener> listeners) {
    // The graph on the driver takes no steps to listen to.
  }

  @Override
  public void setListeners(StatsStorageRouter router, Collection<TrainingListener> listeners) {
    // As above.
  }

  @Override
  public boolean deleteTempFiles(JavaSparkContext sc) {
    return true;
  }

  @Override
  public boolean deleteTempFiles(SparkContext sc) {
    return true;
  }
}
