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
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.Minibatch;
import org.mixtraining.data.Minibatches;
import org.mixtraining.data.Split;
import org.mixtraining.kernels.Device;
import org.mixtraining.train.Evaluation;
import org.mixtraining.train.Prediction;
import org.mixtraining.train.Predictor;
import org.mixtraining.train.ReplicaPool;
import org.mixtraining.train.Score;
import org.mixtraining.train.Scores;
import org.mixtraining.vit.state.ModelState;

/**
 * What a model makes of the validation and the test split, in one stage of as many tasks as
 * workers.
 */
final class ClusterEvaluation {

  private final JavaSparkContext spark;
  private final List<LabelledData> tasks;
  private final JobConfig config;
  private final String graph;
  private final WorkerDevices devices;
  private final Optional<ResourceProfile> profile;

  /**
   * @param graph JSON of the SL graph's configuration
   * @param profile of stages that ask for the workers' GPUs
   */
  ClusterEvaluation(
      JavaSparkContext spark,
      List<LabelledData> tasks,
      JobConfig config,
      String graph,
      WorkerDevices devices,
      Optional<ResourceProfile> profile) {
    this.spark = spark;
    this.tasks = List.copyOf(tasks);
    this.config = config;
    this.graph = graph;
    this.devices = devices;
    this.profile = profile;
  }

  /**
   * Scores on both splits; {@link Scores#NONE} on one without images.
   *
   * @param deviceSeconds seconds of the tasks times the devices that they held
   */
  record Result(Scores validation, Scores test, double deviceSeconds) implements Serializable {
    static final Result NONE = new Result(Scores.NONE, Scores.NONE, 0);

    Result plus(Result other) {
      return new Result(
          validation.plus(other.validation),
          test.plus(other.test),
          deviceSeconds + other.deviceSeconds);
    }

    private Result taking(double seconds) {
      return new Result(validation, test, seconds);
    }
  }

  /** The model's scores. */
  Result score(ModelState state) {
    List<LabelledData> data = tasks;
    double labelled = config.data().labelledFraction();
    int batchSize = config.optimizer().batchSize();
    return inParts(
            state,
            (predictor, part, parts) ->
                new Result(
                    score(predictor, data, Split.VALIDATION, part, parts, labelled, batchSize),
                    score(predictor, data, Split.TEST, part, parts, labelled, batchSize),
                    0))
        .stream()
        .map(part -> part.result().taking(part.deviceSeconds()))
        .reduce(Result.NONE, Result::plus);
  }

  /** What the model says of every image of a split, by task, in order of the images' ids. */
  SortedMap<String, List<Prediction>> predict(ModelState state, Split split) {
    List<LabelledData> data = tasks;
    double labelled = config.data().labelledFraction();
    int batchSize = config.optimizer().batchSize();
    SortedMap<String, List<Prediction>> predictions = new TreeMap<>();
    inParts(
            state,
            (predictor, part, parts) ->
                predict(predictor, data, split, part, parts, labelled, batchSize))
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
    tasks.forEach(task -> used.add(task.head().name()));
    ModelState model = state.only(used).withoutMoments();
    Broadcast<ModelState> broadcast = spark.broadcast(model);
    int parts = config.workers().count();
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
