package org.mixtraining.config;

import java.io.Serializable;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Everything a command is told, read once from HOCON (Typesafe Config) and validated as a whole.
 *
 * <p>Each component is one block of the configuration file; the keys, their units, allowed ranges
 * and defaults are commented in {@code reference.conf}.
 */
public record JobConfig(
    Run run,
    Data data,
    Model model,
    Init init,
    Pipeline pipeline,
    Epochs epochs,
    Mix mix,
    Optimizer optimizer,
    Evaluation evaluation,
    EarlyStopping earlyStopping,
    Augment augment,
    Averaging averaging,
    Workers workers,
    Checkpoint checkpoint,
    Tracking tracking)
    implements Serializable {

  /** The name of the task of a run that has only one. */
  public static final String MAIN_TASK = "main";

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
    return new JobConfigReader(Sources.merge(base, file, overrides)).read();
  }

  /**
   * The whole effective configuration as one line of JSON with sorted keys: equal configurations
   * give equal text, and the text can be loaded as a file again. Secrets are left out.
   */
  public String canonical() {
    return Canonical.json("mixtraining", this);
  }

  /**
   * Identity of a run: its id (empty: to be made), the seed of all its randomness, and where
   * results are written.
   */
  public record Run(String id, long seed, String output) implements Serializable {}

  /**
   * The dataset: {@code path} holds the prepared shards; the rest says how they are made and which
   * part of them is used.
   *
   * @param format {@code cifar10}, {@code cifar100}, {@code tinyimagenet}, {@code folder}, {@code
   *     idx}, {@code parquet} or {@code synthetic}
   * @param source directory of the raw files (empty for {@code synthetic})
   * @param path directory of the image shards
   * @param ssl directory of other image shards for the SSL objective; empty: those of {@code path}
   * @param tasks labelled datasets to train on together, in place of {@code path}; may be empty
   * @param label which label of CIFAR-100 is trained on: {@code fine} or {@code coarse}; of a
   *     Parquet table also the name of its column
   * @param image column of a Parquet table's images; empty: the only one there is
   * @param imageSize side in pixels that every image is scaled to
   * @param shards shard count of each split
   * @param test share of the images held out as test split where the source has none, in (0, 1)
   * @param validation share of the training images held out for model selection, in [0, 1)
   * @param maxBadFraction share of the images that may be unusable, in [0, 1]
   * @param maxPixels pixels that an image file may declare
   * @param seed seed of the stratified order that fractions and the validation split are cut from
   * @param fraction share of the training images used by both objectives, in (0, 1]
   * @param labelFraction share of the training images whose labels are used, in (0, 1]; SSL sees
   *     every image of {@code fraction}
   * @param reshuffle whether the training images are dealt anew to the workers each epoch
   * @param synthetic size of the {@code synthetic} dataset
   */
  public record Data(
      String format,
      String source,
      String path,
      String ssl,
      List<Task> tasks,
      String label,
      String image,
      int imageSize,
      int shards,
      double test,
      double validation,
      double maxBadFraction,
      int maxPixels,
      long seed,
      double fraction,
      double labelFraction,
      boolean reshuffle,
      Synthetic synthetic)
      implements Serializable {

    /** Share of the training images that are used with their labels, in (0, 1]. */
    public double labelledFraction() {
      return fraction * labelFraction;
    }

    /** What is trained on: {@code tasks}, or the one task of {@code path}. */
    public List<Task> labelled() {
      return tasks.isEmpty() ? List.of(new Task(MAIN_TASK, path, 1)) : tasks;
    }

    /** The key that names the path of a labelled dataset. */
    public String key(Task task) {
      return tasks.isEmpty() ? "data.path" : "data.tasks " + task.name();
    }

    /** What shards are made of and how, by key: all that only {@code prepare} reads. */
    public Map<String, Object> preparation() {
      return Map.of(
          "format", format,
          "source", source,
          "label", label,
          "image", image,
          "image-size", imageSize,
          "shards", shards,
          "seed", seed,
          "test", test,
          "validation", validation,
          "synthetic", synthetic);
    }
  }

  /**
   * A labelled dataset that has a head of its own.
   *
   * @param path directory of its image shards
   * @param weight factor on its supervised loss
   */
  public record Task(String name, String path, double weight) implements Serializable {}

  /** Image counts of the synthetic source. */
  public record Synthetic(int train, int test) implements Serializable {}

  /**
   * The ViT: {@code preset} vit-tiny, vit-micro or vit-nano; {@code pooling} cls or mean; {@code
   * dropPath} the last block's rate of stochastic depth, in [0, 1).
   */
  public record Model(
      String preset,
      int patch,
      Pooling pooling,
      double maskRatio,
      boolean normPix,
      double dropPath,
      Positions positions,
      Decoder decoder)
      implements Serializable {}

  /** What tells the encoder where a patch lies. */
  public enum Positions {
    /** A fixed embedding, as in MAE. */
    SIN_COS,
    /** The same and what is learned on top, as timm's supervised models have it. */
    LEARNED
  }

  /** The masked autoencoder's decoder: token width and number of blocks. */
  public record Decoder(int dim, int depth) implements Serializable {}

  /**
   * The model that a run begins from.
   *
   * @param model its file; empty: random weights
   */
  public record Init(String model, InitParts parts) implements Serializable {}

  /** What a run takes of the model that it begins from; the rest begins with random weights. */
  public enum InitParts {
    /** For other classes: the heads are new. */
    ENCODER,
    /** To go on classifying. */
    ENCODER_HEADS,
    /** To go on reconstructing. */
    ENCODER_DECODER,
    ALL
  }

  /** How the tokens of an image become one feature vector. */
  public enum Pooling {
    CLS,
    MEAN
  }

  /** The order of objectives in a run. */
  public enum Pipeline {
    SL,
    SSL_SL,
    MIX,
    SSAT
  }

  /** Epochs of each objective, as if it were trained alone. */
  public record Epochs(int ssl, int sl) implements Serializable {}

  /**
   * The MIX phase: how much of it ({@code ratio} in [0, 1]), and how the objectives are mixed.
   *
   * @param alpha weight of the SSL loss
   * @param maskRatio share of the patches hidden in JOINT epochs, in [0, 1)
   * @param lambda share of the labelled image where it is mixed with one of {@code data.ssl}
   */
  public record Mix(
      double ratio, MixMode mode, MixPass pass, Curve alpha, Curve maskRatio, double lambda)
      implements Serializable {}

  /** Both losses in one step, or SSL and SL epochs in turn. */
  public enum MixMode {
    JOINT,
    ALTERNATE
  }

  /** What the encoder sees in a JOINT step. */
  public enum MixPass {
    /** The visible tokens, in one pass (as in SupMAE, arXiv 2205.14540). */
    VISIBLE,
    /** All positions, a mask token in the hidden ones, in one pass (as in SimMIM, 2111.09886). */
    CORRUPTED,
    /** The visible tokens, and then every token (as in SSAT, arXiv 2310.20704). */
    TWO_PASS
  }

  /**
   * AdamW and its learning-rate schedule. The peak rate is {@code base-lr · batch-size / 256};
   * {@code warmup} is counted in epochs.
   *
   * @param schedule what warm-up and cosine span
   * @param layerDecay factor between the learning rates of neighbouring layers in SL epochs
   * @param clip greatest global norm of a step's gradient; 0 is no limit
   */
  public record Optimizer(
      double baseLr,
      double minLr,
      double warmup,
      Span schedule,
      double weightDecay,
      double layerDecay,
      Betas sslBetas,
      Betas slBetas,
      int batchSize,
      double clip,
      double labelSmoothing)
      implements Serializable {

    /** The learning rate at the end of the warm-up. */
    public double peak() {
      return baseLr * batchSize / 256;
    }
  }

  /** What a learning-rate schedule spans: the whole run, or each phase anew. */
  public enum Span {
    RUN,
    PHASE
  }

  /** AdamW's decay rates of the first and the second moment. */
  public record Betas(double first, double second) implements Serializable {}

  /**
   * When a run is scored on validation and test images: after each {@code every} epochs of those
   * that train a head, counted back from the last.
   */
  public record Evaluation(int every) implements Serializable {}

  /**
   * When to end a run early: after {@code patience} epochs of its last phase without a better
   * validation accuracy, 0 is never; and then {@code cooldown} epochs more, in which the learning
   * rate falls to its end.
   */
  public record EarlyStopping(int patience, int cooldown) implements Serializable {}

  /**
   * How the replicas become one model after each epoch: where they are averaged, and the outer step
   * that is taken along the average of their updates, its rate and its Nesterov momentum. With 1
   * and 0 it is the plain average.
   */
  public record Averaging(Exchange exchange, double outerLr, double outerMomentum)
      implements Serializable {}

  /**
   * Replicas.
   *
   * @param count how many
   * @param perExecutor how many an executor trains at a time
   * @param threadsPerWorker compute threads of each
   * @param precision of a GPU's matrix products
   * @param balance whether shards are dealt by measured speed
   * @param patienceMinutes how long a run waits without anything to compute on
   */
  public record Workers(
      int count,
      int perExecutor,
      int threadsPerWorker,
      Device device,
      Precision precision,
      boolean balance,
      double patienceMinutes)
      implements Serializable {

    /** How long a run waits. */
    public Duration patience() {
      return Duration.ofMillis(Math.round(patienceMinutes * 60_000));
    }
  }

  /** What a GPU's matrix products take in; all of them add up in float32. */
  public enum Precision {
    /** bfloat16, of which every parameter has a copy; the parameters themselves are float32. */
    BF16,
    /** float32, of which the product reads 19 bits. */
    TF32,
    /** float32. */
    FP32
  }

  /** Where states are averaged: on the driver, or slice by slice between the executors. */
  public enum Exchange {
    AUTO,
    DRIVER,
    SHUFFLE
  }

  /**
   * What is kept to go on from: a checkpoint after each {@code every} epochs, the {@code keep}
   * newest of them.
   */
  public record Checkpoint(int every, int keep) implements Serializable {}

  /**
   * Who is told how a run goes, besides the tables: TensorBoard's event files; the MLflow server at
   * an address, or none where that is empty; Spark's own UI at a port, or 0; its event log in a
   * directory, or none where that is empty.
   */
  public record Tracking(
      boolean tensorboard, String mlflowUri, String mlflowExperiment, int uiPort, String eventLog)
      implements Serializable {}

  /** Where a worker computes. */
  public enum Device {
    AUTO,
    CPU,
    GPU
  }
}
