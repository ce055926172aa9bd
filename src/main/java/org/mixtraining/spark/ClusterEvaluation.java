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
import org.mixtraining.train.Score;
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

  /** The model's score on one part of each split. */
  private record PartScore(int part, Score validation, Score test) implements Serializable {}

  /** Score on both splits; a split without images has {@link Score#NONE}. */
  record Scores(Score validation, Score test) {
    static final Scores NONE = new Scores(Score.NONE, Score.NONE);
  }

  Scores score(ModelState state) {
    ModelState model = state.only(List.of(ModelState.ENCODER, ModelState.HEAD)).withoutMoments();
    Broadcast<ModelState> broadcast = spark.broadcast(model);
    int parts = config.workers().count();
    int threads = config.workers().threadsPerWorker();
    int batchSize = config.optimizer().batchSize();
    Dataset images = dataset;
    String configuration = graph;
    try {
      List<PartScore> scores =
          spark
              .parallelize(IntStream.range(0, parts).boxed().toList(), parts)
              .map(
                  part -> {
                    try (ReplicaPool.Lease lease =
                        ReplicaPool.borrow(
                            ReplicaPool.Purpose.EVALUATION, configuration, threads)) {
                      lease.replica().loadParameters(broadcast.value());
                      return new PartScore(
                          part,
                          score(lease, images, Split.VALIDATION, part, parts, batchSize),
                          score(lease, images, Split.TEST, part, parts, batchSize));
                    }
                  })
              .collect();
      return scores.stream()
          .sorted(Comparator.comparingInt(PartScore::part))
          .map(s -> new Scores(s.validation, s.test))
          .reduce(
              Scores.NONE,
              (a, b) -> new Scores(a.validation().plus(b.validation()), a.test().plus(b.test())));
    } finally {
      broadcast.destroy();
    }
  }

  private static Score score(
      ReplicaPool.Lease lease, Dataset dataset, Split split, int part, int parts, int batchSize) {
    if (dataset.manifest().images(split) == 0) {
      return Score.NONE;
    }
    ImageSet images = dataset.part(split, part, parts, 1);
    return Evaluation.run(
        lease.replica(),
        new UntilKilled<>(
            Minibatches.evaluation(images, dataset.manifest().normalization(), batchSize)));
  }
}
