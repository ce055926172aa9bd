package org.mixtraining.spark;

import java.io.Serializable;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.resource.ResourceProfile;
import org.apache.spark.storage.BlockManagerId;
import org.mixtraining.data.Split;
import org.mixtraining.kernels.Device;
import org.mixtraining.run.EpochScores;
import org.mixtraining.run.Evaluator;
import org.mixtraining.run.HeldOutPart;
import org.mixtraining.run.TrainingData;
import org.mixtraining.schedule.EncoderInput;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.Objective;
import org.mixtraining.spark.exchange.PreferredLocations;
import org.mixtraining.train.Prediction;
import org.mixtraining.train.Predictor;
import org.mixtraining.train.ReplicaPool;
import org.mixtraining.train.Scores;
import org.mixtraining.vit.state.ModelState;

/**
 * Scores and predicts in one Spark stage of as many tasks as workers, each where its images were
 * read.
 */
final class SparkEvaluator implements Evaluator {

  private final JavaSparkContext spark;
  private final TrainingData data;
  private final String graph;
  private final Broadcast<TaskSetup> setup;
  private final Optional<ResourceProfile> profile;
  private final Supervision supervision;
  private final PreferredLocations locations;

  /**
   * @param data that of the setup
   * @param profile of stages that ask for the workers' GPUs
   */
  SparkEvaluator(
      JavaSparkContext spark,
      TrainingData data,
      Broadcast<TaskSetup> setup,
      Optional<ResourceProfile> profile,
      Supervision supervision) {
    this.spark = spark;
    this.data = data;
    this.graph = data.graph(Objective.SL, EncoderInput.FULL).toJson();
    this.setup = setup;
    this.profile = profile.filter(asked -> setup.value().devices().scoreWhereTrained());
    this.supervision = supervision;
    this.locations = new PreferredLocations(data.config().workers().count());
  }

  @Override
  public EpochScores score(EpochPlan plan, ModelState model) {
    return supervision.run(plan, "evaluate", () -> score(model));
  }

  private EpochScores score(ModelState model) {
    EpochScores scores = new EpochScores(Scores.NONE, Scores.NONE, data.evaluationFlops(), 0);
    for (PartResult<EpochScores> part : inParts(model, HeldOutPart::score)) {
      EpochScores own = part.result();
      scores = scores.plus(new EpochScores(own.validation(), own.test(), 0, part.deviceSeconds()));
    }
    return scores;
  }

  @Override
  public SortedMap<String, List<Prediction>> predict(ModelState model, Split split) {
    if (!data.trainsHead()) {
      return new TreeMap<>();
    }
    return supervision.run(
        "predict the %s images".formatted(split.key()),
        () ->
            HeldOutPart.join(
                inParts(model, (part, predictor) -> part.predict(predictor, split)).stream()
                    .map(PartResult::result)
                    .toList()));
  }

  // --- one stage ---------------------------------------------------------------------------------

  /** The work on one part of the images with a predictor of the model. */
  @FunctionalInterface
  private interface Work<R> extends Serializable {
    R of(HeldOutPart images, Predictor predictor);
  }

  /** The result of a part, and its cost. */
  private record PartResult<R>(
      int part, R result, double deviceSeconds, String host, String executor)
      implements Serializable {}

  /** The results of all parts, in their order. */
  private <R> List<PartResult<R>> inParts(ModelState state, Work<R> work) {
    ModelState model = data.predicting(state);
    Broadcast<ModelState> broadcast = spark.broadcast(model);
    int parts = data.config().workers().count();
    Broadcast<TaskSetup> run = setup;
    String configuration = graph;
    JavaRDD<Integer> numbers = locations.numbers(spark);
    profile.ifPresent(numbers::withResources);
    try {
      List<PartResult<R>> results =
          numbers
              .map(
                  part -> {
                    long start = System.nanoTime();
                    Device device = run.value().devices().ofScoringTask();
                    device.bind();
                    try (ReplicaPool.Lease lease =
                        ReplicaPool.borrow(ReplicaPool.Purpose.EVALUATION, configuration, device)) {
                      Predictor predictor = lease.predictor();
                      predictor.load(broadcast.value());
                      R result =
                          work.of(
                              new HeldOutPart(
                                  run.value().data(), part, parts, InterruptibleIterator::new),
                              predictor);
                      lease.done();
                      double seconds = (System.nanoTime() - start) / 1e9;
                      BlockManagerId here = SparkEnv.get().blockManager().blockManagerId();
                      return new PartResult<>(
                          part, result, seconds * device.devices(), here.host(), here.executorId());
                    }
                  })
              .collect();
      results.forEach(part -> locations.ranAt(part.part(), part.host(), part.executor()));
      return results.stream().sorted(Comparator.comparingInt(PartResult::part)).toList();
    } finally {
      broadcast.destroy();
    }
  }
}
