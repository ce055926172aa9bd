package org.mixtraining.spark;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.resource.ResourceProfile;
import org.apache.spark.util.TaskCompletionListener;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.spark.impl.graph.SparkComputationGraph;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.config.UserException;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.Split;
import org.mixtraining.formats.ModelCard;
import org.mixtraining.kernels.WorkerThreads;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.MixSchedule;
import org.mixtraining.schedule.Objective;
import org.mixtraining.schedule.Patience;
import org.mixtraining.train.EpochMetrics;
import org.mixtraining.train.NonFiniteLossException;
import org.mixtraining.train.Prediction;
import org.mixtraining.train.Scores;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.state.ModelState;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A run from its first epoch to its last: the driver's loop. */
public final class MixTrainingRun implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(MixTrainingRun.class);

  private final JavaSparkContext spark;
  private final JobConfig config;
  private final TrainingData data;
  private final WorkerDevices devices;
  private final Optional<ResourceProfile> profile;
  private final ClusterEvaluation evaluation;
  private final StateExchange exchange;
  private final Supervision supervision;
  private final PreferredLocations workers;
  private Optional<Graph> latest = Optional.empty();

  /** The driver's graph of an objective, and the JSON that workers make theirs of. */
  private record Graph(Objective objective, Replica replica, String json) {
    static Graph of(Objective objective, ComputationGraphConfiguration configuration) {
      return new Graph(objective, new Replica(configuration), configuration.toJson());
    }
  }

  /**
   * @throws UserException if a dataset is missing or does not fit the model or the workers, or
   *     {@link Prerequisites} do not hold
   */
  public MixTrainingRun(JavaSparkContext spark, JobConfig config) {
    Prerequisites.checkSerializer(spark.getConf());
    this.spark = spark;
    this.config = config;
    this.data = TrainingData.open(spark.hadoopConfiguration(), config);
    this.devices = WorkerDevices.of(config.workers(), spark.getConf());
    LOG.info("workers compute on {}: {}", devices.gpus() ? "GPUs" : "the CPU", devices.reason());
    this.profile = devices.profile(spark.sc(), config.workers().perExecutor());
    long stateBytes = initialState().model().bytes();
    Prerequisites.check(spark, config, data, stateBytes, devices.steps());
    this.evaluation =
        new ClusterEvaluation(
            spark,
            data.labelled(),
            config,
            data.graph(Objective.SL, MixPass.VISIBLE).toJson(),
            devices,
            profile);
    this.workers = new PreferredLocations(config.workers().count());
    this.exchange = exchange(stateBytes);
    this.supervision = new Supervision(spark.sc(), config.workers().patience());
  }

  private StateExchange exchange(long stateBytes) {
    StateExchange.Choice choice =
        StateExchange.choose(
            config.averaging().exchange(),
            config.workers().count(),
            stateBytes,
            Runtime.getRuntime().maxMemory());
    LOG.info("{}", choice.reason());
    return choice.exchange();
  }

  /** The labelled datasets by the names of their tasks, in the order of the configuration. */
  public Map<String, DatasetManifest> manifests() {
    Map<String, DatasetManifest> manifests = new LinkedHashMap<>();
    data.labelled().forEach(task -> manifests.put(task.task().name(), task.dataset().manifest()));
    return manifests;
  }

  /** What a person should know of its data. */
  public List<String> notes() {
    return data.notes();
  }

  /** The dataset of {@code data.ssl}; without one, the SSL objective sees the labelled ones. */
  public Optional<DatasetManifest> sslManifest() {
    return config.data().ssl().isEmpty() ? Optional.empty() : Optional.of(data.ssl().manifest());
  }

  /** What the model that it trains takes, and what its outputs mean. */
  public ModelCard card() {
    return new ModelCard(
        data.vit(),
        data.labelled().stream()
            .map(
                task -> {
                  DatasetManifest m = task.dataset().manifest();
                  return new ModelCard.Task(
                      task.task().name(), m.height(), m.normalization(), m.classes());
                })
            .toList());
  }

  /** The state of a run before its first epoch: it depends on the seed and the model only. */
  public RunState initialState() {
    return data.initial();
  }

  /**
   * Trains the epochs of the configuration's schedule that are not behind the state yet: all of
   * them, unless early stopping ends the run before.
   *
   * @param state where to begin
   * @param epochFinished told of each epoch, in order
   * @return where the run ends
   * @throws UserException if a shard is missing
   * @throws NonFiniteLossException if a worker's loss becomes NaN or infinite
   */
  public RunState train(RunState state, Consumer<EpochOutcome> epochFinished) {
    while (!state.isLast(config)) {
      List<EpochPlan> schedule = state.schedule(config).epochs();
      EpochOutcome outcome = epoch(schedule.get(state.epochs()), state.facing(schedule));
      state = outcome.reached();
      epochFinished.accept(outcome);
    }
    return state;
  }

  /**
   * What a model of this run says of the test images, by task; nothing if the run trains no head.
   */
  public SortedMap<String, List<Prediction>> predictions(ModelState model) {
    boolean headless =
        MixSchedule.of(config).epochs().stream().allMatch(p -> p.objective() == Objective.SSL);
    return headless
        ? new TreeMap<>()
        : supervised("predict the test images", () -> evaluation.predict(model, Split.TEST));
  }

  private EpochOutcome epoch(EpochPlan plan, RunState before) {
    return supervised(description(plan, "train"), () -> trainAndScore(plan, before));
  }

  /**
   * Work under a name in Spark's own UI; what a task has to tell a person comes without what Spark
   * wraps around it.
   */
  private <R> R supervised(String name, Supplier<R> work) {
    try {
      spark.setJobDescription(name);
      return work.get();
    } catch (Exception e) { // Spark throws checked exceptions that it does not declare
      throw supervision.reason(e);
    } finally {
      spark.sc().setJobDescription(null);
    }
  }

  private EpochOutcome trainAndScore(EpochPlan plan, RunState before) {
    long start = System.nanoTime();
    Graph graph = graph(plan);
    var master = new EpochAveragingTrainingMaster(plan, graph.json, devices, exchange);
    graph.replica.load(before.model());
    new SparkComputationGraph(spark, graph.replica.graph(), master)
        .fitMultiDataSet(minibatches(plan, before.deal()));
    ModelState average = graph.replica.state();
    OuterStep outer = OuterStep.of(config.averaging(), before.model(), average, before.averaging());
    double trained = secondsSince(start);

    long evaluationStart = System.nanoTime();
    spark.setJobDescription(description(plan, "evaluate"));
    boolean scored = before.schedule(config).scores(plan, config.evaluation().every());
    var scores = scored ? evaluation.score(outer.model()) : ClusterEvaluation.Result.NONE;

    EpochMetrics metrics =
        master.reports().stream()
            .map(WorkerResult::metrics)
            .reduce(EpochMetrics::plus)
            .orElseThrow();
    double slowest =
        master.reports().stream().mapToDouble(r -> r.place().seconds()).max().orElseThrow();
    List<EpochOutcome.WorkerShare> shares = shares(master.reports());
    return new EpochOutcome(
        plan,
        new RunState(
            plan.epoch() + 1,
            outer.model(),
            before.resting(),
            outer.velocity(),
            patience(plan, before, scores.validation()),
            deal(before.deal(), shares)),
        metrics,
        shares,
        scores.validation(),
        scores.test(),
        trained - slowest,
        secondsSince(evaluationStart),
        scored ? data.evaluationFlops() : 0,
        scores.deviceSeconds(),
        secondsSince(start),
        exchange.bytes(average, config.workers().count()));
  }

  /** One at a time: parameters, gradients and moments of each lie outside the driver's heap. */
  private Graph graph(EpochPlan plan) {
    if (latest.isEmpty() || latest.get().objective != plan.objective()) {
      latest.ifPresent(old -> old.replica.close());
      latest = Optional.of(Graph.of(plan.objective(), data.graph(plan.objective(), plan.pass())));
    }
    return latest.get();
  }

  /** A run waits for a better validation accuracy in its last phase only. */
  private Patience patience(EpochPlan plan, RunState before, Scores validation) {
    Patience patience = before.patience();
    List<EpochPlan> epochs = MixSchedule.of(config).epochs();
    boolean last = plan.phase() == epochs.get(epochs.size() - 1).phase();
    if (!last || plan.objective() == Objective.SSL) {
      return patience;
    }
    return validation.images() == 0
        ? patience.unscored()
        : patience.scored(
            validation.accuracy(), plan.epoch() + 1, config.earlyStopping().patience());
  }

  /** A measured deal is of use only if workers stay where they were measured. */
  private ShardAssignment deal(ShardAssignment before, List<EpochOutcome.WorkerShare> shares) {
    if (!config.workers().balance()) {
      return before;
    }
    workers.ranAt(shares);
    ShardAssignment next = before.after(shares, data.ssl().manifest().shards());
    if (!next.equals(before)) {
      LOG.info("{}", next.describe());
    }
    return next;
  }

  /** Partition w: worker w's minibatches of the epoch, made in the task as they are asked for. */
  private JavaRDD<MultiDataSet> minibatches(EpochPlan plan, ShardAssignment deal) {
    TrainingData images = data;
    TrainingData.Steps steps = devices.steps();
    int threads = config.workers().threadsPerWorker();
    JavaRDD<MultiDataSet> minibatches =
        workers
            .numbers(spark)
            .flatMap(worker -> images.batches(plan, deal, worker, steps, untilTaskEnds(threads)));
    profile.ifPresent(minibatches::withResources);
    return minibatches;
  }

  /** Threads for the running task, which end with it, however it ends. */
  private static WorkerThreads untilTaskEnds(int threads) {
    WorkerThreads own = new WorkerThreads(threads);
    TaskContext.get().addTaskCompletionListener((TaskCompletionListener) task -> own.close());
    return own;
  }

  private static List<EpochOutcome.WorkerShare> shares(List<WorkerResult> results) {
    double[] weights = EpochAverage.weights(results, ModelState.ENCODER);
    List<EpochOutcome.WorkerShare> shares = new ArrayList<>();
    for (WorkerResult r : results) {
      shares.add(
          new EpochOutcome.WorkerShare(r.worker(), r.metrics(), r.place(), weights[r.worker()]));
    }
    return shares;
  }

  /** As {@code epoch 7/50 · MIX joint · train}. */
  private static String description(EpochPlan plan, String activity) {
    return String.format(
        Locale.ROOT,
        "epoch %d/%d · %s · %s",
        plan.epoch() + 1,
        plan.epochs(),
        plan.title(),
        activity);
  }

  private static double secondsSince(long start) {
    return (System.nanoTime() - start) / 1e9;
  }

  @Override
  public void close() {
    supervision.close();
    latest.ifPresent(graph -> graph.replica.close());
    latest = Optional.empty();
  }
}
