package org.mixtraining.config;

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
    Pipeline pipeline,
    Epochs epochs,
    Mix mix,
    Optimizer optimizer,
    Augment augment,
    Workers workers) {

  /** Identity of a run: its id, the seed of all its randomness, and where results are written. */
  public record Run(String id, long seed, String output) {}

  /**
   * The dataset: {@code path} holds the prepared shards; the rest says how they are made and which
   * part of them is used.
   *
   * @param format {@code cifar10}, {@code cifar100} or {@code synthetic}
   * @param source directory of the raw files (empty for {@code synthetic})
   * @param path directory of the image shards
   * @param label which label of CIFAR-100 is trained on: {@code fine} or {@code coarse}
   * @param shards shard count of each split
   * @param validation share of the training images held out for model selection, in [0, 1)
   * @param seed seed of the stratified order that fractions and the validation split are cut from
   * @param fraction share of the training images used by both objectives, in (0, 1]
   * @param labelFraction share of the training images whose labels are used, in (0, 1]; SSL sees
   *     every image of {@code fraction}
   * @param synthetic size of the {@code synthetic} dataset
   */
  public record Data(
      String format,
      String source,
      String path,
      String label,
      int shards,
      double validation,
      long seed,
      double fraction,
      double labelFraction,
      Synthetic synthetic) {}

  /** Image counts of the synthetic source. */
  public record Synthetic(int train, int test) {}

  /** The ViT: {@code preset} vit-tiny, vit-micro or vit-nano; {@code pooling} cls or mean. */
  public record Model(
      String preset,
      int patch,
      Pooling pooling,
      double maskRatio,
      boolean normPix,
      Decoder decoder) {}

  /** The masked autoencoder's decoder: token width and number of blocks. */
  public record Decoder(int dim, int depth) {}

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
  public record Epochs(int ssl, int sl) {}

  /** The MIX phase: how much of it ({@code ratio} in [0, 1]), and how the objectives are mixed. */
  public record Mix(double ratio, MixMode mode, MixPass pass, AlphaSchedule alpha) {}

  /** Both losses in one step, or SSL and SL epochs in turn. */
  public enum MixMode {
    JOINT,
    ALTERNATE
  }

  /** What the shared pass of a JOINT step sees: the visible tokens only, or two passes. */
  public enum MixPass {
    VISIBLE,
    TWO_PASS
  }

  /**
   * Weight of the SSL loss over the MIX phase: {@code constant(a)}, {@code linear(a->b)} or {@code
   * cosine(a->b)}.
   */
  public record AlphaSchedule(Shape shape, double start, double end) {
    /** The curve between start and end. */
    public enum Shape {
      CONSTANT,
      LINEAR,
      COSINE
    }
  }

  /**
   * AdamW and its learning-rate schedule. The peak rate is {@code base-lr · batch-size / 256};
   * {@code warmup} is counted in epochs.
   */
  public record Optimizer(
      double baseLr,
      double minLr,
      double warmup,
      double weightDecay,
      double[] sslBetas,
      double[] slBetas,
      int batchSize,
      double labelSmoothing) {}

  /** Random crop after padding by {@code cropPadding} pixels, and a horizontal flip. */
  public record Augment(int cropPadding, boolean flip) {}

  /** Replicas: how many, and how many compute threads each has. */
  public record Workers(int count, int threadsPerWorker, Device device) {}

  /** Where a worker computes. */
  public enum Device {
    AUTO,
    CPU,
    GPU
  }
}
