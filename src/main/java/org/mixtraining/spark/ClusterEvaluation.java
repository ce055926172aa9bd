package org.mixtraining.spark;

import java.io.Serializable;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.mixtraining.config.JobConfig;
import org.mixtraining.data.ImageSet;
import org.mixtraining.data.Minibatches;
import org.mixtraining.data.Split;
import org.mixtraining.train.Evaluation;
import org.mixtraining.train.ReplicaPool;
import org.mixtraining.train.Scores;
import org.mixtraining.vit.ModelState;

/**
 * Scores a model on the validation and the test split, in one stage of as many tasks as workers.
 */
final class ClusterEvaluation {

  private final JavaSparkContext spark;
  private final Dataset dataset;
  private final JobConfig config;
  private final String graph;

  /**
   * @param graph JSON of the SL graph's configuration
   */
  ClusterEvaluation(JavaSparkContext spark, Dataset dataset, JobConfig config, String graph) {
    this.spark = spark;
    this.dataset = dataset;
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
    ModelState model = state.only(List.of(ModelState.ENCODER, ModelState.HEAD)).withoutMoments();
    Broadcast<ModelState> broadcast = spark.broadcast(model);
    int parts = config.workers().count();
    int threads = config.workers().threadsPerWorker();
    int batchSize = config.optimizer().batchSize();
    Dataset images = dataset;
    String configuration = graph;
    try {
      List<PartResult> results =
          spark
              .parallelize(IntStream.range(0, parts).boxed().toList(), parts)
              .map(
                  part -> {
                    try (ReplicaPool.Lease lease =
                        ReplicaPool.borrow(
                            ReplicaPool.Purpose.EVALUATION, configuration, threads)) {
                      lease.replica().loadParameters(broadcast.value());
                      return new PartResult(
                          part,
                          new Result(
                              score(lease, images, Split.VALIDATION, part, parts, batchSize),
                              score(lease, images, Split.TEST, part, parts, batchSize)));
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
      ReplicaPool.Lease lease, Dataset dataset, Split split, int part, int parts, int batchSize) {
    if (dataset.manifest().images(split) == 0) {
      return Scores.NONE;
    }
    ImageSet images = dataset.part(split, part, parts, 1);
    return Scores.of(
        JobConfig.MAIN_TASK,
        Evaluation.run(
            lease.replica(),
            Minibatches.evaluation(images, dataset.manifest().normalization(), batchSize)));
  }
}
