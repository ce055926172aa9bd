package org.mixtraining.spark;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.resource.ResourceProfile;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.mixtraining.config.Causes;
import org.mixtraining.run.EpochResult;
import org.mixtraining.run.EpochTrainer;
import org.mixtraining.run.RunState;
import org.mixtraining.run.ShardAssignment;
import org.mixtraining.run.TrainingData;
import org.mixtraining.run.WorkerResult;
import org.mixtraining.run.WorkerShare;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Rounds;
import org.mixtraining.spark.dl4j.RoundAveragingTrainingMaster;
import org.mixtraining.spark.exchange.PreferredLocations;
import org.mixtraining.spark.exchange.SlicesLostException;
import org.mixtraining.spark.exchange.StateExchange;
import org.mixtraining.train.TrainingBatch;
import org.mixtraining.vit.state.ModelState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Trains each round of an epoch in one Spark stage: partition w is worker w, and a {@link
 * StateExchange} gives the workers the state they begin with and averages what they end with.
 */
final class SparkEpochTrainer implements EpochTrainer {

  private static final Logger LOG = LoggerFactory.getLogger(SparkEpochTrainer.class);

  /** Times that an epoch is tried, each of which loses an executor or more. */
  private static final int ATTEMPTS = 6;

  private final JavaSparkContext spark;
  private final TrainingData data;
  private final Broadcast<TaskSetup> setup;
  private final Optional<ResourceProfile> profile;
  private final StateExchange exchange;
  private final Supervision supervision;
  private final PreferredLocations locations;
  private final Map<Trained, Graph> graphs = new HashMap<>();

  /** What a graph is for. */
  private record Trained(Objective objective, EncoderInput input) {}

  /** A graph's configuration, and the JSON that workers make theirs of and know it again by. */
  private record Graph(ComputationGraphConfiguration configuration, String json) {
    static Graph of(ComputationGraphConfiguration configuration) {
      return new Graph(configuration, configuration.toJson());
    }
  }

  /**
   * @param data that of the setup
   * @param profile of stages that ask for the workers' GPUs
   */
  SparkEpochTrainer(
      JavaSparkContext spark,
      TrainingData data,
      Broadcast<TaskSetup> setup,
      Optional<ResourceProfile> profile,
      StateExchange exchange,
      Supervision supervision) {
    this.spark = spark;
    this.data = data;
    this.setup = setup;
    this.profile = profile;
    this.exchange = exchange;
    this.supervision = supervision;
    this.locations = new PreferredLocations(data.config().workers().count());
  }

  @Override
  public EpochResult train(EpochPlan plan, RunState state) {
    return supervision.run(plan, "train", () -> train(plan, state, 1));
  }

  /**
   * An attempt at an epoch. Slices that died with an executor are not made again one by one: the
   * epoch begins again with the state it began with, and so ends with the same bits.
   */
  private EpochResult train(EpochPlan plan, RunState state, int attempt) {
    try {
      return epoch(plan, state);
    } catch (Exception e) { // Spark throws checked exceptions that it does not declare
      Optional<Throwable> lost =
          Causes.of(e).filter(SlicesLostException.class::isInstance).findFirst();
      if (lost.isEmpty() || attempt == ATTEMPTS) {
        throw e;
      }
      LOG.warn(
          "epoch {} begins again, attempt {} of {}: {}",
          plan.epoch() + 1,
          attempt + 1,
          ATTEMPTS,
          lost.get().getMessage());
    }
    return train(plan, state, attempt + 1);
  }

  private EpochResult epoch(EpochPlan plan, RunState state) {
    Graph graph =
        graphs.computeIfAbsent(
            new Trained(plan.objective(), plan.input()),
            trained -> Graph.of(data.graph(trained.objective, trained.input)));
    Broadcast<EpochWorker.Epoch> epoch =
        spark.broadcast(new EpochWorker.Epoch(plan, graph.json, state.assignment()));
    Rounds rounds = data.rounds(plan);
    List<List<WorkerResult>> ends = new ArrayList<>();
    StateExchange.Held held = exchange.hold(spark, data.trained(plan, state.model()));
    try {
      for (Rounds.Round round : rounds.all()) {
        StateExchange.Held before = held;
        EpochWorker worker = new EpochWorker(setup, epoch, round, before.reader());
        StateExchange.Averaged averaged =
            new RoundAveragingTrainingMaster<>(
                    worker,
                    results -> exchange.average(results, before, data.betas(plan.objective())))
                .fit(spark, graph.configuration, minibatches(worker));
        held = averaged.held();
        before.release();
        ends.add(averaged.reports());
        locations.ranAt(averaged.reports());
      }
      return result(held.state(), WorkerResult.epoch(ends), rounds, state.assignment());
    } finally {
      held.release();
      epoch.destroy();
    }
  }

  /** Partition w: worker w's minibatches of the round. */
  private JavaRDD<TrainingBatch> minibatches(EpochWorker worker) {
    JavaRDD<TrainingBatch> minibatches = locations.numbers(spark).flatMap(worker::minibatches);
    profile.ifPresent(minibatches::withResources);
    return minibatches;
  }

  private EpochResult result(
      ModelState average, List<WorkerResult> results, Rounds rounds, ShardAssignment before) {
    List<WorkerShare> shares = WorkerShare.of(results);
    return new EpochResult(
        average,
        shares,
        rounds,
        exchange.bytes(average, shares.size(), rounds.count()),
        next(before, shares));
  }

  private ShardAssignment next(ShardAssignment before, List<WorkerShare> shares) {
    if (!data.config().workers().balance()) {
      return before;
    }
    ShardAssignment next = before.after(shares, data.ssl().manifest().shards());
    if (!next.equals(before)) {
      LOG.info("{}", next.describe());
    }
    return next;
  }
}
