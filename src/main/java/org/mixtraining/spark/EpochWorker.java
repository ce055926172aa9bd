package org.mixtraining.spark;

import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.Function2;
import org.apache.spark.broadcast.Broadcast;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.spark.api.TrainingHook;
import org.deeplearning4j.spark.api.TrainingWorker;
import org.deeplearning4j.spark.api.WorkerConfiguration;
import org.deeplearning4j.spark.api.stats.SparkTrainingStats;
import org.mixtraining.kernels.Device;
import org.mixtraining.train.EpochMetrics;
import org.mixtraining.train.ReplicaPool;
import org.mixtraining.train.WorkerEpoch;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.dataset.api.DataSet;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * Trains one partition of an epoch: partition w is worker w's minibatches, read, augmented and
 * trained on one after another inside the task.
 *
 * <p>The graph is configured from JSON and loaded with the broadcast state, step counts included:
 * dl4j-spark's own workers begin each averaging period with the counts at zero, because
 * ComputationGraphConfiguration.clone() drops them, and with them bias correction and schedule.
 */
final class EpochWorker
    implements TrainingWorker<WorkerResult>,
        Function2<Integer, Iterator<MultiDataSet>, Iterator<WorkerResult>> {
  private static final long serialVersionUID = 1L;

  private final Broadcast<EpochTask> broadcast;

  EpochWorker(Broadcast<EpochTask> broadcast) {
    this.broadcast = broadcast;
  }

  @Override
  public Iterator<WorkerResult> call(Integer worker, Iterator<MultiDataSet> minibatches) {
    long start = System.nanoTime();
    EpochTask task = broadcast.value();
    Device device = task.devices().ofTask();
    device.bind(); // minibatches are arrays, so before the first of them
    if (!minibatches.hasNext()) {
      TaskInfo place = TaskInfo.here(device, (System.nanoTime() - start) / 1e9);
      return List.of(new WorkerResult(worker, task.state(), EpochMetrics.NONE, place)).iterator();
    }
    try (ReplicaPool.Lease lease =
        ReplicaPool.borrow(ReplicaPool.Purpose.TRAINING, task.graph(), device)) {
      lease.replica().load(task.state());
      EpochMetrics metrics =
          WorkerEpoch.run(
              lease.replica(),
              lease.executor(),
              task.plan(),
              worker,
              new InterruptibleIterator<>(minibatches),
              ExecutorProgress.ofTask(task.plan(), worker));
      TaskInfo place = TaskInfo.here(device, (System.nanoTime() - start) / 1e9);
      return List.of(new WorkerResult(worker, lease.replica().state(), metrics, place)).iterator();
    }
  }

  // --- dl4j-spark's protocol for workers that are handed one minibatch at a time ----------------

  @Override
  public void addHook(TrainingHook hook) {
    throw wholeEpochs();
  }

  @Override
  public void removeHook(TrainingHook hook) {
    throw wholeEpochs();
  }

  @Override
  public MultiLayerNetwork getInitialModel() {
    throw wholeEpochs();
  }

  @Override
  public ComputationGraph getInitialModelGraph() {
    throw wholeEpochs();
  }

  @Override
  public WorkerResult processMinibatch(DataSet d, MultiLayerNetwork n, boolean isLast) {
    throw wholeEpochs();
  }

  @Override
  public WorkerResult processMinibatch(DataSet d, ComputationGraph g, boolean isLast) {
    throw wholeEpochs();
  }

  @Override
  public WorkerResult processMinibatch(MultiDataSet d, ComputationGraph g, boolean isLast) {
    throw wholeEpochs();
  }

  @Override
  public Pair<WorkerResult, SparkTrainingStats> processMinibatchWithStats(
      DataSet d, MultiLayerNetwork n, boolean isLast) {
    throw wholeEpochs();
  }

  @Override
  public Pair<WorkerResult, SparkTrainingStats> processMinibatchWithStats(
      DataSet d, ComputationGraph g, boolean isLast) {
    throw wholeEpochs();
  }

  @Override
  public Pair<WorkerResult, SparkTrainingStats> processMinibatchWithStats(
      MultiDataSet d, ComputationGraph g, boolean isLast) {
    throw wholeEpochs();
  }

  @Override
  public WorkerResult getFinalResult(MultiLayerNetwork n) {
    throw wholeEpochs();
  }

  @Override
  public WorkerResult getFinalResult(ComputationGraph g) {
    throw wholeEpochs();
  }

  @Override
  public WorkerResult getFinalResultNoData() {
    throw wholeEpochs();
  }

  @Override
  public Pair<WorkerResult, SparkTrainingStats> getFinalResultNoDataWithStats() {
    throw wholeEpochs();
  }

  @Override
  public Pair<WorkerResult, SparkTrainingStats> getFinalResultWithStats(MultiLayerNetwork n) {
    throw wholeEpochs();
  }

  @Override
  public Pair<WorkerResult, SparkTrainingStats> getFinalResultWithStats(ComputationGraph g) {
    throw wholeEpochs();
  }

  @Override
  public WorkerConfiguration getDataConfiguration() {
    throw wholeEpochs();
  }

  @Override
  public long getInstanceId() {
    return broadcast.id();
  }

  private static UnsupportedOperationException wholeEpochs() {
    return new UnsupportedOperationException(
        "a worker of an EpochAveragingTrainingMaster trains whole epochs");
  }
}
