package org.mixtraining.spark;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.resource.ResourceProfile;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.data.Minibatch;
import org.mixtraining.data.Minibatches;
import org.mixtraining.data.Split;
import org.mixtraining.kernels.Device;
import org.mixtraining.run.EpochScores;
import org.mixtraining.run.Evaluator;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.MixSchedule;
import org.mixtraining.schedule.Objective;
import org.mixtraining.train.Evaluation;
import org.mixtraining.train.Prediction;
import org.mixtraining.train.Predictor;
import org.mixtraining.train.ReplicaPool;
import org.mixtraining.train.Score;
import org.mixtraining.train.Scores;
import org.mixtraining.vit.state.ModelState;

/** Scores and predicts in one Spark stage of as many tasks as workers. */
final class SparkEvaluator implements Evaluator {

  private final JavaSparkContext spark;
  private final TrainingData data;
  private final String graph;
  private final WorkerDevices devices;
  private final Optional<ResourceProfile> profile;
  private final Supervision supervision;

  /**
   * @param profile of stages that ask for the workers' GPUs
   */
  SparkEvaluator(
      JavaSparkContext spark,
      TrainingData data,
      WorkerDevices devices,
      Optional<ResourceProfile> profile,
      Supervision supervision) {
    this.spark = spark;
    this.data = data;
    this.graph = data.graph(Objective.SL, MixPass.VISIBLE).toJson();
    this.devices = devices;
    this.profile = profile;
    this.supervision = supervision;
  }

  @Override
  public EpochScores score(EpochPlan plan, ModelState model) {
    return supervision.run(plan, "evaluate", () -> score(model));
  }

  private EpochScores score(ModelState model) {
    List<LabelledData> tasks = data.labelled();
    double labelled = data.config().data().labelledFraction();
    int batchSize = data.config().optimizer().batchSize();
    EpochScores scores = new EpochScores(Scores.NONE, Scores.NONE, data.evaluationFlops(), 0);
    List<PartResult<EpochScores>> parts =
        inParts(
            model,
            (predictor, part, of) ->
                new EpochScores(
                    score(predictor, tasks, Split.VALIDATION, part, of, labelled, batchSize),
                    score(predictor, tasks, Split.TEST, part, of, labelled, batchSize),
                    0,
                    0));
    for (PartResult<EpochScores> part : parts) {
      EpochScores own = part.result();
      scores = scores.plus(new EpochScores(own.validation(), own.test(), 0, part.deviceSeconds()));
    }
    return scores;
  }

  @Override
  public SortedMap<String, List<Prediction>> predict(ModelState model, Split split) {
    if (!MixSchedule.of(data.config()).needsLabels()) {
      return new TreeMap<>();
    }
    return supervision.run(
        "predict the %s images".formatted(split.key()), () -> predictions(model, split));
  }

  private SortedMap<String, List<Prediction>> predictions(ModelState state, Split split) {
    List<LabelledData> tasks = data.labelled();
    double labelled = data.config().data().labelledFraction();
    int batchSize = data.config().optimizer().batchSize();
    SortedMap<String, List<Prediction>> predictions = new TreeMap<>();
    inParts(
            state,
            (predictor, part, parts) ->
                predict(predictor, tasks, split, part, parts, labelled, batchSize))
        .forEach(
            part ->
                part.result()
                    .forEach(
                        (task, said) ->
                            predictions
                                .computeIfAbsent(task, t -> new ArrayList<>())
                                .addAll(said)));
    predictions.values().forEach(said -> said.sort(Comparator.comparingLong(Prediction::id)));
    return predictions;
  }

  // --- one stage ---------------------------------------------------------------------------------

  /** What is done with a predictor of the model and one part of the images, of {@code parts}. */
  @FunctionalInterface
  private interface Work<R> extends Serializable {
    R of(Predictor predictor, int part, int parts);
  }

  /** What came of a part, and what it took. */
  private record PartResult<R>(int part, R result, double deviceSeconds) implements Serializable {}

  /** The results of all parts, in their order. */
  private <R> List<PartResult<R>> inParts(ModelState state, Work<R> work) {
    List<String> used = new ArrayList<>(List.of(ModelState.ENCODER));
    data.labelled().forEach(task -> used.add(task.head().name()));
    ModelState model = state.only(used).withoutMoments();
    Broadcast<ModelState> broadcast = spark.broadcast(model);
    int parts = data.config().workers().count();
    String configuration = graph;
    WorkerDevices workers = devices;
    JavaRDD<Integer> numbers = spark.parallelize(IntStream.range(0, parts).boxed().toList(), parts);
    if (workers.scoreModels()) {
      profile.ifPresent(numbers::withResources);
    }
    try {
      List<PartResult<R>> results =
          numbers
              .map(
                  part -> {
                    long start = System.nanoTime();
                    Device device = workers.ofScoringTask();
                    device.bind();
                    try (ReplicaPool.Lease lease =
                        ReplicaPool.borrow(ReplicaPool.Purpose.EVALUATION, configuration, device)) {
                      Predictor predictor = lease.predictor();
                      predictor.load(broadcast.value());
                      R result = work.of(predictor, part, parts);
                      double seconds = (System.nanoTime() - start) / 1e9;
                      return new PartResult<>(part, result, seconds * device.devices());
                    }
                  })
              .collect();
      return results.stream().sorted(Comparator.comparingInt(PartResult::part)).toList();
    } finally {
      broadcast.destroy();
    }
  }

  private static Scores score(
      Predictor predictor,
      List<LabelledData> tasks,
      Split split,
      int part,
      int parts,
      double labelled,
      int batchSize) {
    Scores scores = Scores.NONE;
    for (LabelledData task : tasks) {
      if (task.dataset().manifest().heldOutImages(split, labelled) > 0) {
        Score score =
            Evaluation.run(
                predictor,
                task.head().name(),
                images(task, split, part, parts, labelled, batchSize));
        scores = scores.plus(Scores.of(task.task().name(), score));
      }
    }
    return scores;
  }

  private static Map<String, List<Prediction>> predict(
      Predictor predictor,
      List<LabelledData> tasks,
      Split split,
      int part,
      int parts,
      double labelled,
      int batchSize) {
    Map<String, List<Prediction>> predictions = new HashMap<>();
    for (LabelledData task : tasks) {
      if (task.dataset().manifest().heldOutImages(split, labelled) > 0) {
        predictions.put(
            task.task().name(),
            Prediction.of(
                predictor,
                task.head().name(),
                images(task, split, part, parts, labelled, batchSize)));
      }
    }
    return predictions;
  }

  private static Iterator<Minibatch> images(
      LabelledData task, Split split, int part, int parts, double labelled, int batchSize) {
    Dataset dataset = task.dataset();
    return new InterruptibleIterator<>(
        Minibatches.evaluation(
            dataset.heldOut(split, part, parts, labelled),
            dataset.manifest().normalization(),
            batchSize));
  }
}
