package org.mixtraining.spark;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.Minibatch;
import org.mixtraining.data.Minibatches;
import org.mixtraining.data.Split;
import org.mixtraining.kernels.Device;
import org.mixtraining.train.Evaluation;
import org.mixtraining.train.ReplicaPool;
import org.mixtraining.train.Score;
import org.mixtraining.train.Scores;
import org.mixtraining.vit.ModelState;

/**
 * Scores a model on the validation and the test split, in one stage of as many tasks as workers.
 */
final class ClusterEvaluation {

  private final JavaSparkContext spark;
  private final List<LabelledData> tasks;
  private final JobConfig config;
  private final String graph;

  /**
   * @param graph JSON of the SL graph's configuration
   */
  ClusterEvaluation(
      JavaSparkContext spark, List<LabelledData> tasks, JobConfig config, String graph) {
    this.spark = spark;
    this.tasks = List.copyOf(tasks);
    this.config = config;
    this.graph = graph;
  }

  /** Scores on both splits; {@link Scores#NONE} on one without images. */
  record Result(Scores validation, Scores test) implements Serializable {
    static final Result NONE = new Result(Scores.NONE, Scores.NONE);

    Result plus(Result other) {
      return new Result(validation.plus(other.validation), test.plus(other.test));
    }
  }

  /** The model's scores on one part of each split. */
  private record PartResult(int part, Result result) implements Serializable {}

  Result score(ModelState state) {
    List<String> used = new ArrayList<>(List.of(ModelState.ENCODER));
    tasks.forEach(task -> used.add(task.head().name()));
    ModelState model = state.only(used).withoutMoments();
    Broadcast<ModelState> broadcast = spark.broadcast(model);
    int parts = config.workers().count();
    int threads = config.workers().threadsPerWorker();
    int batchSize = config.optimizer().batchSize();
    List<LabelledData> data = tasks;
    String configuration = graph;
    try {
      List<PartResult> results =
          spark
              .parallelize(IntStream.range(0, parts).boxed().toList(), parts)
              .map(
                  part -> {
                    try (ReplicaPool.Lease lease =
                        ReplicaPool.borrow(
                            ReplicaPool.Purpose.EVALUATION, configuration, Device.any(threads))) {
                      lease.replica().loadParameters(broadcast.value());
                      return new PartResult(
                          part,
                          new Result(
                              score(lease, data, Split.VALIDATION, part, parts, batchSize),
                              score(lease, data, Split.TEST, part, parts, batchSize)));
                    }
                  })
              .collect();
      return results.stream()
          .sorted(Comparator.comparingInt(PartResult::part))
          .map(PartResult::result)
          .reduce(Result.NONE, Result::plus);
    } finally {
      broadcast.destroy();
    }
  }

  private static Scores score(
      ReplicaPool.Lease lease,
      List<LabelledData> tasks,
      Split split,
      int part,
      int parts,
      int batchSize) {
    Scores scores = Scores.NONE;
    for (LabelledData task : tasks) {
      Dataset dataset = task.dataset();
      if (dataset.manifest().images(split) > 0) {
        Iterator<Minibatch> images =
            Minibatches.evaluation(
                dataset.part(split, part, parts, 1), dataset.manifest().normalization(), batchSize);
        Score score =
            Evaluation.run(lease.replica(), task.head().name(), new UntilKilled<>(images));
        scores = scores.plus(Scores.of(task.task().name(), score));
      }
    }
    return scores;
  }
}
