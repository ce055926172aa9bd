package org.mixtraining.config;

import java.io.Serializable;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.mixtraining.config.MixConfig.MixPass;
import org.mixtraining.config.ModelConfig.Positions;
import org.mixtraining.config.hocon.Canonical;
import org.mixtraining.config.hocon.Settings;
import org.mixtraining.config.hocon.Sources;

/**
 * The whole configuration, read once from HOCON (Typesafe Config) and validated as a whole: a
 * component for each block of the file, but for those that {@link TrainingConfig} groups.
 *
 * <p>The keys, their units, allowed ranges and defaults are commented in {@code reference.conf}.
 */
public record JobConfig(
    RunConfig run,
    DataConfig data,
    ModelConfig model,
    @Canonical.Inline TrainingConfig training,
    AveragingConfig averaging,
    WorkersConfig workers,
    CheckpointConfig checkpoint,
    TrackingConfig tracking,
    Results results)
    implements Serializable {
  private static final int FEW_IMAGES = 64;

  /**
   * A place of the result tables beside their files: a catalog of Spark's and a namespace in it,
   * separated by a dot; or none, if it is empty.
   */
  public record Results(String catalog) implements Serializable {
    private static final Pattern PLACE = Pattern.compile("([\\w-]+(\\.[\\w-]+)+)?");

    private static Results read(Settings settings) {
      return new Results(
          settings.text(
              "results.catalog",
              place -> PLACE.matcher(place).matches(),
              "a catalog of Spark's, a dot and a namespace in it, as lake.mixtraining, or empty"));
    }
  }

  /**
   * The defaults, overridden by a file, overridden by {@code key=value} pairs in their order. A
   * key's leading {@code mixtraining.} may be left out. A value that begins with a bracket, a brace
   * or a quote is HOCON; any other is taken as it stands.
   *
   * @throws UserException with one line for every problem of the file and the overrides
   */
  public static JobConfig load(Optional<Path> file, List<String> overrides) {
    return load("", file, overrides);
  }

  /**
   * The same over another configuration in place of the defaults: what is written here wins, and a
   * key that is not keeps its value.
   *
   * @param base a {@link #canonical()} configuration
   * @throws UserException with one line for every problem
   */
  public static JobConfig load(String base, Optional<Path> file, List<String> overrides) {
    return read(Sources.merge(base, file, overrides));
  }

  /**
   * Reads every block, and holds them to each other.
   *
   * @throws UserException with one line for every problem
   */
  static JobConfig read(Settings settings) {
    Pipeline pipeline = Pipeline.read(settings);
    ModelConfig model = ModelConfig.read(settings, pipeline);
    DataConfig data = DataConfig.read(settings);
    JobConfig config =
        new JobConfig(
            RunConfig.read(settings),
            data,
            model,
            TrainingConfig.read(settings, pipeline, model.maskRatio(), data),
            AveragingConfig.read(settings),
            WorkersConfig.read(settings),
            CheckpointConfig.read(settings),
            TrackingConfig.read(settings),
            Results.read(settings));
    config.check(settings);
    settings.check();
    return config;
  }

  private void check(Settings settings) {
    if (!data.raw().source().isEmpty() && data.preparation().shards() < workers.count()) {
      settings.refuse(
          "data.shards", "must be at least mixtraining.workers.count = " + workers.count());
    }
    if (optimizer().batchSize() < workers.count()) {
      settings.refuse(
          "optimizer.batch-size",
          "must be at least mixtraining.workers.count = %s: all workers share it"
              .formatted(workers.count()));
    }
    if (optimizer().accumulate() > Math.max(1, optimizer().batchSize() / workers.count())) {
      settings.refuse(
          "optimizer.accumulate",
          "must be at most a worker's part of a batch, mixtraining.optimizer.batch-size / mixtraining.workers.count = "
              + optimizer().batchSize() / workers.count());
    }
    if (optimizer().accumulate() > 1 && workers.device() == WorkersConfig.Device.GPU) {
      settings.refuse(
          "optimizer.accumulate",
          "must be 1 with mixtraining.workers.device = gpu: a GPU takes a worker's part of a batch at once");
    }
    if (!data.ssl().isEmpty() && !data.tasks().isEmpty()) {
      settings.refuse("data.ssl", "must be empty if mixtraining.data.tasks is set");
    }
    if (workers.balance() && data.reshuffle()) {
      settings.refuse(
          "workers.balance",
          "must be false with mixtraining.data.reshuffle, which assigns every image again in each epoch");
    }
    if (model.positions() == Positions.LEARNED && mix().pass() == MixPass.CORRUPTED) {
      settings.refuse("model.positions", "must be sin-cos if mixtraining.mix.pass is corrupted");
    }
  }

  /** Most images in a worker's part of a batch. */
  public int workerBatchSize() {
    return (optimizer().batchSize() + workers.count() - 1) / workers.count();
  }

  /**
   * Images that are scored at a time: no more than a worker trains on, which its memory has room
   * for, or a few where that is less. Where those of a step are divided, these are too.
   */
  public int scoredAtOnce() {
    int images = Math.max(workerBatchSize(), Math.min(FEW_IMAGES, optimizer().batchSize()));
    return (images + optimizer().accumulate() - 1) / optimizer().accumulate();
  }

  public InitConfig init() {
    return training.init();
  }

  public Pipeline pipeline() {
    return training.pipeline();
  }

  public EpochsConfig epochs() {
    return training.epochs();
  }

  public MixConfig mix() {
    return training.mix();
  }

  public OptimizerConfig optimizer() {
    return training.optimizer();
  }

  public AugmentConfig augment() {
    return training.augment();
  }

  public EvaluationConfig evaluation() {
    return training.evaluation();
  }

  public EarlyStoppingConfig earlyStopping() {
    return training.earlyStopping();
  }

  /**
   * The whole effective configuration as one line of JSON with sorted keys: equal configurations
   * give equal text, and the text can be loaded as a file again. Secrets are left out.
   */
  public String canonical() {
    return Canonical.json("mixtraining", this);
  }
}
