package org.mixtraining.spark;

import java.io.Serializable;
import java.util.Iterator;
import org.apache.spark.api.java.JavaSparkContext;
import org.mixtraining.config.JobConfig;
import org.mixtraining.config.UserException;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.Normalization;
import org.mixtraining.data.Share;
import org.mixtraining.data.Split;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.train.TrainingBatches;
import org.mixtraining.vit.ViT;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * What the workers of a run train on.
 *
 * @param labelled the dataset of {@code data.path}
 * @param ssl the dataset of {@code data.ssl}, by default the same
 */
record TrainingData(JobConfig config, Dataset labelled, Dataset ssl) implements Serializable {

  /**
   * The data of a configuration.
   *
   * @throws UserException if a dataset is missing, does not serve the workers, or the two differ in
   *     the shape of their images
   */
  static TrainingData open(JavaSparkContext spark, JobConfig config) {
    int workers = config.workers().count();
    Dataset labelled = Dataset.open(spark, "data.path", config.data().path(), workers);
    if (config.data().ssl().isEmpty()) {
      return new TrainingData(config, labelled, labelled);
    }
    Dataset ssl = Dataset.open(spark, "data.ssl", config.data().ssl(), workers);
    String shape = shape(labelled.manifest());
    if (!shape(ssl.manifest()).equals(shape)) {
      throw new UserException(
          "mixtraining.data.ssl = %s: its images are %s, and must be as those of data.path, which are %s"
              .formatted(config.data().ssl(), shape(ssl.manifest()), shape));
    }
    return new TrainingData(config, labelled, ssl);
  }

  private static String shape(DatasetManifest m) {
    return "%d x %d x %d".formatted(m.channels(), m.height(), m.width());
  }

  /** The model of the configuration for these images. */
  ViT vit() {
    DatasetManifest m = labelled.manifest();
    return ViT.of(config.model(), m.height(), m.width(), m.channels(), m.classCount());
  }

  /** A worker's minibatches of an epoch, made as they are asked for. */
  Iterator<MultiDataSet> batches(EpochPlan plan, int worker) {
    return switch (plan.objective()) {
      case SSL -> TrainingBatches.of(config, vit(), plan, ssl(plan, worker));
      case SL -> TrainingBatches.of(config, vit(), plan, labelled(plan, worker));
      case JOINT ->
          apart()
              ? TrainingBatches.blended(
                  config, vit(), plan, labelled(plan, worker), ssl(plan, worker))
              : TrainingBatches.of(config, vit(), plan, labelled(plan, worker));
    };
  }

  private boolean apart() {
    return !ssl.path().equals(labelled.path());
  }

  private Share labelled(EpochPlan plan, int worker) {
    return share(labelled, config.data().fraction(), plan, worker);
  }

  private Share ssl(EpochPlan plan, int worker) {
    return share(ssl, apart() ? 1 : config.data().fraction(), plan, worker);
  }

  private Share share(Dataset dataset, double fraction, EpochPlan plan, int worker) {
    int workers = config.workers().count();
    Normalization normalization = dataset.manifest().normalization();
    return config.data().reshuffle()
        ? Share.dealt(
            dataset.part(Split.TRAIN, 0, 1, fraction),
            normalization,
            worker,
            workers,
            config.run().seed(),
            plan.epoch())
        : Share.all(dataset.part(Split.TRAIN, worker, workers, fraction), normalization);
  }
}
