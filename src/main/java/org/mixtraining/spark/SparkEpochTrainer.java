package org.mixtraining.spark;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.resource.ResourceProfile;
import org.apache.spark.util.TaskCompletionListener;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.run.EpochResult;
import org.mixtraining.run.EpochTask;
import org.mixtraining.run.EpochTrainer;
import org.mixtraining.run.RunState;
import org.mixtraining.run.ShardAssignment;
import org.mixtraining.run.TrainingData;
import org.mixtraining.run.WorkerResult;
import org.mixtraining.run.WorkerShare;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Rounds;
import org.mixtraining.spark.dl4j.EpochAveragingTrainingMaster;
import org.mixtraining.train.TrainingBatch;
import org.mixtraining.vit.state.ModelState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Trains an epoch in one Spark stage: partition w is worker w, to which the state is broadcast, and
 * a {@link StateExchange} averages what the workers end with.
 */
final class SparkEpochTrainer implements EpochTrainer {

  private static final Logger LOG = LoggerFactory.getLogger(SparkEpochTrainer.class);

  private final JavaSparkContext spark;
  private final TrainingData data;
  private final WorkerDevices devices;
  private final Optional<ResourceProfile> profile;
  private final StateExchange exchange;
  private final Supervision supervision;
  private final PreferredLocations locations;
  private final Map<Objective, Graph> graphs = new EnumMap<>(Objective.class);

  /** A graph's configuration, and the JSON that workers make theirs of and know it again by. */
  private record Graph(ComputationGraphConfiguration configuration, String json) {
    static Graph of(ComputationGraphConfiguration configuration) {
      return new Graph(configuration, configuration.toJson());
    }
  }

  SparkEpochTrainer(
      JavaSparkContext spark,
      TrainingData data,
      WorkerDevices devices,
      Optional<ResourceProfile> profile,
      StateExchange exchange,
      Supervision supervision) {
    this.spark = spark;
    this.data = data;
    this.devices = devices;
    this.profile = profile;
    this.exchange = exchange;
    this.supervision = supervision;
    this.locations = new PreferredLocations(data.config().workers().count());
  }

  @Override
  public EpochResult train(EpochPlan plan, RunState state) {
    return supervision.run(plan, "train", () -> average(plan, state));
  }

  private EpochResult average(EpochPlan plan, RunState state) {
    Graph graph =
        graphs.computeIfAbsent(
            plan.objective(), objective -> Graph.of(data.graph(objective, plan.pass())));
    ModelState reached = data.trained(plan, state.model());
    Rounds rounds = data.rounds(plan);
    List<List<WorkerResult>> ends = new ArrayList<>();
    for (Rounds.Round round : rounds.all()) {
      StateExchange.Averaged averaged =
          average(graph, new EpochTask(plan, round, graph.json, reached), state.assignment());
      reached = averaged.state();
      ends.add(averaged.reports());
    }
    List<WorkerShare> shares = WorkerShare.of(WorkerResult.epoch(ends));
    return new EpochResult(
        reached,
        shares,
        rounds,
        rounds.count() * exchange.bytes(reached, shares.size()),
        next(state.assignment(), shares));
  }

  private StateExchange.Averaged average(Graph graph, EpochTask epoch, ShardAssignment assignment) {
    Broadcast<EpochTask> task = spark.broadcast(epoch);
    try {
      return new EpochAveragingTrainingMaster<>(
              new EpochWorker(task, devices), results -> exchange.average(results, epoch.state()))
          .fit(spark, graph.configuration, minibatches(epoch.plan(), epoch.round(), assignment));
    } finally {
      task.destroy();
    }
  }

  /** Partition w: worker w's minibatches of the round, made in the task as they are asked for. */
  private JavaRDD<TrainingBatch> minibatches(
      EpochPlan plan, Rounds.Round round, ShardAssignment assignment) {
    TrainingData images = data;
    TrainingData.Steps steps = devices.steps();
    int threads = data.config().workers().threadsPerWorker();
    JavaRDD<TrainingBatch> minibatches =
        locations
            .numbers(spark)
            .flatMap(
                worker ->
                    images.batches(plan, round, assignment, worker, steps, untilTaskEnds(threads)));
    profile.ifPresent(minibatches::withResources);
    return minibatches;
  }

  /** Threads for the running task, which end with it, however it ends. */
  private static WorkerThreads untilTaskEnds(int threads) {
    WorkerThreads own = new WorkerThreads(threads);
    TaskContext.get().addTaskCompletionListener((TaskCompletionListener) task -> own.close());
    return own;
  }

  /** A measured assignment is of use only if workers stay where they were measured. */
  private ShardAssignment next(ShardAssignment before, List<WorkerShare> shares) {
    if (!data.config().workers().balance()) {
      return before;
    }
    locations.ranAt(shares);
    ShardAssignment next = before.after(shares, data.ssl().manifest().shards());
    if (!next.equals(before)) {
      LOG.info("{}", next.describe());
    }
    return next;
  }
}
