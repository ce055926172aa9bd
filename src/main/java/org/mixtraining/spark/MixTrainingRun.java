package org.mixtraining.spark;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.deeplearning4j.spark.impl.graph.SparkComputationGraph;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.JobConfig.MixPass;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.ImageSet;
import org.mixtraining.data.Split;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.MixSchedule;
import org.mixtraining.schedule.Objective;
import org.mixtraining.train.EpochMetrics;
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
  private final Map<Objective, Replica> graphs = new EnumMap<>(Objective.class);

  /**
   * @throws org.mixtraining.config.UserException if the dataset is missing or does not fit the
   *     model or the workers
   */
  public MixTrainingRun(JavaSparkContext spark, JobConfig config) {
    this.spark = spark;
    this.config = config;
    this.dataset = Dataset.open(spark, config);
    DatasetManifest m = dataset.manifest();
    this.vit = ViT.of(config.model(), m.height(), m.width(), m.channels(), m.classCount());
    this.evaluation = new ClusterEvaluation(spark, dataset, config, vit);
  }

  public DatasetManifest manifest() {
    return dataset.manifest();
  }

  /** The state of a run before its first epoch: it depends on the seed and the model only. */
  public ModelState initialState() {
    var everything =
        ViTGraph.configuration(
            vit, Objective.JOINT, MixPass.VISIBLE, config.optimizer(), config.run().seed());
    try (Replica replica = new Replica(everything)) {
      return replica.state();
    }
  }

  /**
   * Trains all epochs of the configuration's schedule.
   *
   * @param state where to begin
   * @param epochFinished told of each epoch, in order
   * @return the final state
   */
  public ModelState train(ModelState state, Consumer<EpochOutcome> epochFinished) {
    for (EpochPlan plan : MixSchedule.of(config).epochs()) {
      EpochOutcome outcome = epoch(plan, state);
      state = outcome.state();
      epochFinished.accept(outcome);
    }
    return state;
  }

  private EpochOutcome epoch(EpochPlan plan, ModelState before) {
    long start = System.nanoTime();
    describe(plan, "train");
    var master = new EpochAveragingTrainingMaster(plan, config.workers().threadsPerWorker());
    Replica graph = graph(plan);
    graph.load(before);
    new SparkComputationGraph(spark, graph.graph(), master).fitMultiDataSet(minibatches(plan));
    ModelState state = before.with(graph.state());
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
        state,
        metrics,
        shares(master.results()),
        scores.validation(),
        scores.test(),
        metrics.images() * vit.trainingFlops(plan.objective(), sight(plan)),
        trained - slowest,
        secondsSince(evaluationStart),
        secondsSince(start),
        2 * graph.state().bytes() * config.workers().count());
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

  private Replica graph(EpochPlan plan) {
    return graphs.computeIfAbsent(
        plan.objective(),
        objective ->
            new Replica(
                ViTGraph.configuration(
                    vit, objective, plan.pass(), config.optimizer(), config.run().seed())));
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
    graphs.values().forEach(Replica::close);
    graphs.clear();
  }
}
