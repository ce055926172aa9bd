package org.mixtraining.spark;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.serializer.JavaSerializer;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.spark.impl.graph.SparkComputationGraph;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.JobConfig.MixPass;
import org.mixtraining.config.UserException;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.ImageSet;
import org.mixtraining.data.Split;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.MixSchedule;
import org.mixtraining.schedule.Objective;
import org.mixtraining.train.EpochMetrics;
import org.mixtraining.train.NonFiniteLossException;
import org.mixtraining.train.TrainingBatches;
import org.mixtraining.vit.ModelState;
import org.mixtraining.vit.Replica;
import org.mixtraining.vit.Sight;
import org.mixtraining.vit.ViT;
import org.mixtraining.vit.ViTGraph;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** A run from its first epoch to its last: the driver's loop. */
public final class MixTrainingRun implements AutoCloseable {

  private final JavaSparkContext spark;
  private final JobConfig config;
  private final Dataset dataset;
  private final ViT vit;
  private final ClusterEvaluation evaluation;
  private final HopelessTasks hopeless;
  private final ExecutorWatch executors;
  private final Map<Objective, Graph> graphs = new EnumMap<>(Objective.class);

  /** The driver's graph of an objective, and the JSON that workers make theirs of. */
  private record Graph(Replica replica, String json) {
    static Graph of(ComputationGraphConfiguration configuration) {
      return new Graph(new Replica(configuration), configuration.toJson());
    }
  }

  /**
   * @throws UserException if the dataset is missing or does not fit the model or the workers, or
   *     Spark is set to a serializer that cannot carry what workers send
   */
  public MixTrainingRun(JavaSparkContext spark, JobConfig config) {
    checkSerializer(spark.getConf());
    this.spark = spark;
    this.config = config;
    this.dataset = Dataset.open(spark, config);
    DatasetManifest m = dataset.manifest();
    this.vit = ViT.of(config.model(), m.height(), m.width(), m.channels(), m.classCount());
    this.evaluation =
        new ClusterEvaluation(
            spark, dataset, config, configuration(Objective.SL, MixPass.VISIBLE).toJson());
    this.hopeless = new HopelessTasks(spark.sc());
    this.executors = new ExecutorWatch(spark.sc(), config.workers().patience());
    spark.sc().addSparkListener(hopeless);
  }

  static void checkSerializer(SparkConf conf) {
    String java = JavaSerializer.class.getName();
    String serializer = conf.get("spark.serializer", java);
    if (!serializer.equals(java)) {
      throw new UserException(
          "spark.serializer = %s: must be %s, the default; Kryo cannot serialize records, which workers send"
              .formatted(serializer, java));
    }
  }

  public DatasetManifest manifest() {
    return dataset.manifest();
  }

  /** The state of a run before its first epoch: it depends on the seed and the model only. */
  public RunState initialState() {
    try (Replica replica = new Replica(configuration(Objective.JOINT, MixPass.VISIBLE))) {
      return RunState.initial(replica.state());
    }
  }

  /**
   * Trains the epochs of the configuration's schedule that are not behind the state yet.
   *
   * @param state where to begin
   * @param epochFinished told of each epoch, in order
   * @return where the run ends
   * @throws UserException if a shard is missing
   * @throws NonFiniteLossException if a worker's loss becomes NaN or infinite
   */
  public RunState train(RunState state, Consumer<EpochOutcome> epochFinished) {
    List<EpochPlan> epochs = MixSchedule.of(config).epochs();
    for (EpochPlan plan : epochs.subList(state.epochs(), epochs.size())) {
      EpochOutcome outcome = epoch(plan, state);
      state = outcome.reached();
      epochFinished.accept(outcome);
    }
    return state;
  }

  /** An epoch; what a task has to tell a person comes without what Spark wraps around it. */
  private EpochOutcome epoch(EpochPlan plan, RunState before) {
    try {
      return trainAndScore(plan, before);
    } catch (Exception e) { // Spark throws checked exceptions that it does not declare
      throw HopelessTasks.reason(e)
          .or(hopeless::reason)
          .or(() -> executors.verdict().map(why -> new IllegalStateException(why, e)))
          .orElseGet(
              () ->
                  e instanceof RuntimeException unchecked
                      ? unchecked
                      : new IllegalStateException(
                          "epoch %d failed".formatted(plan.epoch() + 1), e));
    } finally {
      spark.sc().setJobDescription(null);
    }
  }

  private EpochOutcome trainAndScore(EpochPlan plan, RunState before) {
    long start = System.nanoTime();
    describe(plan, "train");
    Graph graph =
        graphs.computeIfAbsent(
            plan.objective(), objective -> Graph.of(configuration(objective, plan.pass())));
    var master =
        new EpochAveragingTrainingMaster(plan, graph.json, config.workers().threadsPerWorker());
    graph.replica.load(before.model());
    new SparkComputationGraph(spark, graph.replica.graph(), master)
        .fitMultiDataSet(minibatches(plan));
    ModelState average = graph.replica.state();
    ModelState state = before.model().with(average);
    double trained = secondsSince(start);

    long evaluationStart = System.nanoTime();
    describe(plan, "evaluate");
    var scores =
        plan.objective() == Objective.SSL
            ? ClusterEvaluation.Scores.NONE // no head has been trained with it
            : evaluation.score(state);

    EpochMetrics metrics =
        master.results().stream()
            .map(WorkerResult::metrics)
            .reduce(EpochMetrics::plus)
            .orElseThrow();
    double slowest =
        master.results().stream().mapToDouble(r -> r.place().seconds()).max().orElseThrow();
    return new EpochOutcome(
        plan,
        new RunState(plan.epoch() + 1, state, before.averaging()),
        metrics,
        shares(master.results()),
        scores.validation(),
        scores.test(),
        metrics.images() * vit.trainingFlops(plan.objective(), sight(plan)),
        trained - slowest,
        secondsSince(evaluationStart),
        secondsSince(start),
        2 * average.bytes() * config.workers().count());
  }

  /** Partition w: worker w's minibatches of the epoch, made in the task as they are asked for. */
  private JavaRDD<MultiDataSet> minibatches(EpochPlan plan) {
    int workers = config.workers().count();
    JobConfig job = config;
    Dataset images = dataset;
    ViT model = vit;
    return spark
        .parallelize(IntStream.range(0, workers).boxed().toList(), workers)
        .flatMap(
            worker -> {
              ImageSet own = images.part(Split.TRAIN, worker, workers, job.data().fraction());
              return new TrainingBatches(job, model, plan, own, images.manifest().normalization());
            });
  }

  private ComputationGraphConfiguration configuration(Objective objective, MixPass pass) {
    return ViTGraph.configuration(vit, objective, pass, config.optimizer(), config.run().seed());
  }

  private static Sight sight(EpochPlan plan) {
    return Sight.of(plan.objective(), plan.pass());
  }

  private static List<EpochOutcome.WorkerShare> shares(List<WorkerResult> results) {
    double[] weights = EpochAverage.weights(results);
    List<EpochOutcome.WorkerShare> shares = new ArrayList<>();
    for (WorkerResult r : results) {
      shares.add(
          new EpochOutcome.WorkerShare(r.worker(), r.metrics(), r.place(), weights[r.worker()]));
    }
    return shares;
  }

  /** What Spark's own UI shows for the epoch's jobs. */
  private void describe(EpochPlan plan, String activity) {
    spark.setJobDescription(
        "epoch %d/%d · %s %s · %s"
            .formatted(plan.epoch() + 1, plan.epochs(), plan.phase(), plan.objective(), activity));
  }

  private static double secondsSince(long start) {
    return (System.nanoTime() - start) / 1e9;
  }

  @Override
  public void close() {
    executors.close();
    spark.sc().removeSparkListener(hopeless);
    graphs.values().forEach(graph -> graph.replica.close());
    graphs.clear();
  }
}
