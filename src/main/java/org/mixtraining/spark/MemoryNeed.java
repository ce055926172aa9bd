package org.mixtraining.spark;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleBiFunction;
import org.mixtraining.config.DataConfig.Caching;
import org.mixtraining.config.UserException;
import org.mixtraining.data.DatasetManifest;
import org.mixtraining.data.Split;
import org.mixtraining.run.LabelledData;
import org.mixtraining.run.TrainingData;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.MixSchedule;
import org.mixtraining.vit.MemoryEstimate;

/**
 * Memory that an executor's process needs, estimated before a run starts, in bytes.
 *
 * @param tasks workers that it trains at a time
 * @param heap Java heap: states that arrive, are loaded, and are sent
 * @param images decoded images that its workers keep outside the heap
 * @param compute memory outside the heap that replicas compute in
 */
record MemoryNeed(int tasks, long heap, long images, long compute) {

  /** Heap of Spark itself and of what this job loads. */
  static final long HEAP_BASE = 200_000_000;

  /**
   * Copies of a state that a task has at a time: broadcast, result, and its serialized form twice.
   */
  static final int STATES = 4;

  /** States that the driver of a run has at a time: the model, and the checkpoint being written. */
  private static final int DRIVER_STATES = 2;

  /** What a worker knows of an image besides its pixels, and needs to sort it into an epoch. */
  private static final long INDEX = 100;

  /** A row group as it is read, compressed and not. */
  private static final long ROW_GROUP = 16_000_000;

  /** Code, threads and the collector's own tables of a process. */
  static final long PROCESS_BASE = 300_000_000;

  /**
   * @param stateBytes parameters and moments of the largest objective
   * @param imageBytes of the images that one worker trains and scores on
   * @param replicaBytes what one worker computes in
   */
  static MemoryNeed of(int tasks, long stateBytes, long imageBytes, long replicaBytes) {
    return new MemoryNeed(
        tasks, HEAP_BASE + tasks * STATES * stateBytes, tasks * imageBytes, tasks * replicaBytes);
  }

  /**
   * What a process needs to train workers of a run.
   *
   * @param stateBytes parameters and moments of the whole model
   * @param tasks workers at a time
   */
  static MemoryNeed of(TrainingData data, long stateBytes, int tasks, TrainingData.Steps steps) {
    long parameters = stateBytes / (3 * Float.BYTES);
    int batch = data.config().workerBatchSize();
    int scored = data.config().scoredAtOnce();
    List<EpochPlan> epochs = MixSchedule.of(data.config()).epochs();
    long training =
        data.labelled().stream()
            .map(data::vit)
            .flatMapToLong(
                vit ->
                    epochs.stream()
                        .mapToLong(
                            plan ->
                                MemoryEstimate.training(
                                    vit.masking(plan.maskRatio()),
                                    plan.objective(),
                                    plan.input(),
                                    parameters,
                                    steps == TrainingData.Steps.ON_DEVICE ? 0 : batch,
                                    plan.parts())))
            .max()
            .orElseThrow();
    long evaluation =
        data.labelled().stream()
            .mapToLong(task -> MemoryEstimate.inference(data.vit(task), parameters, scored))
            .max()
            .orElseThrow();
    MemoryNeed need = of(tasks, stateBytes, imageBytes(data), training + evaluation);
    return new MemoryNeed(tasks, need.heap + tasks * indexBytes(data), need.images, need.compute);
  }

  /**
   * The same in a process that is the driver of some runs as well.
   *
   * @param stateBytes parameters and moments of the whole model
   */
  MemoryNeed besideDrivers(int runs, long stateBytes) {
    return new MemoryNeed(tasks, heap + runs * DRIVER_STATES * stateBytes, images, compute);
  }

  /** Images that a worker trains and scores on, as far as it keeps them in memory. */
  static long imageBytes(TrainingData data) {
    return Math.round(sum(data, MemoryNeed::pixels, data.ssl().caching()));
  }

  /** Heap for the index of those, and for what is read. */
  private static long indexBytes(TrainingData data) {
    return Math.round(INDEX * sum(data, DatasetManifest::images, Caching.MEMORY)) + 2 * ROW_GROUP;
  }

  private static double sum(
      TrainingData data, ToDoubleBiFunction<DatasetManifest, Split> size, Caching caching) {
    double share = 1.0 / data.config().workers().count();
    double trained = data.config().data().reshuffle() ? 1 : share;
    DatasetManifest ssl = data.ssl().manifest();
    double all = data.apart() ? kept(trained * size.applyAsDouble(ssl, Split.TRAIN), caching) : 0;
    for (LabelledData task : data.labelled()) {
      DatasetManifest m = task.dataset().manifest();
      double fraction = data.config().data().fraction();
      all +=
          kept(trained * fraction * size.applyAsDouble(m, Split.TRAIN), caching)
              + kept(share * size.applyAsDouble(m, Split.VALIDATION), caching)
              + kept(share * size.applyAsDouble(m, Split.TEST), caching);
    }
    return all;
  }

  /** What is in memory at a time of a share: without a cache, the window and what is read ahead. */
  private static double kept(double share, Caching caching) {
    return switch (caching.cache()) {
      case AUTO, MEMORY -> share;
      case DISK -> 0;
      case NONE -> Math.min(share, 2.0 * (caching.windowBytes() + ROW_GROUP));
    };
  }

  private static double pixels(DatasetManifest m, Split split) {
    return (double) m.images(split) * m.channels() * m.height() * m.width();
  }

  /** The larger of each number, which is enough for both. */
  MemoryNeed both(MemoryNeed other) {
    return new MemoryNeed(
        Math.max(tasks, other.tasks),
        Math.max(heap, other.heap),
        Math.max(images, other.images),
        Math.max(compute, other.compute));
  }

  /** Memory of all kinds but the heap. */
  long beyondHeap() {
    return images + compute + PROCESS_BASE;
  }

  /**
   * @throws UserException if the executors of a run were given less, with the settings to raise
   */
  void check(MemoryGiven given) {
    UserException.throwAny(problems(given));
  }

  /** A line for each kind of memory of which too little was given. */
  List<String> problems(MemoryGiven given) {
    List<String> problems = new ArrayList<>();
    String fewer =
        "train fewer at a time (mixtraining.workers.per-executor, mixtraining.compare.parallel)";
    String smaller =
        images > compute
            ? "set mixtraining.data.cache = disk or none"
            : "lower mixtraining.optimizer.batch-size or raise mixtraining.optimizer.accumulate";
    require(problems, "Java heap", heap, given.heap(), given.heapSetting(), fewer);
    require(
        problems,
        "images outside the heap",
        images,
        given.direct(),
        "-XX:MaxDirectMemorySize",
        smaller);
    require(problems, "compute memory", compute, given.compute(), MemoryGiven.MAX_BYTES, smaller);
    require(
        problems,
        "memory beyond the heap",
        beyondHeap(),
        given.overhead(),
        MemoryGiven.OVERHEAD,
        smaller);
    require(
        problems,
        "memory in total (heap and outside it)",
        heap + beyondHeap(),
        given.physical(),
        MemoryGiven.MAX_PHYSICAL_BYTES,
        smaller);
    return problems;
  }

  private void require(
      List<String> problems, String what, long need, long given, String setting, String instead) {
    if (need > given) {
      problems.add(
          "%s: an executor that trains %s worker%s at a time needs about %s MB of %s, and has %s MB; raise it, or %s"
              .formatted(
                  setting, tasks, tasks == 1 ? "" : "s", mega(need), what, mega(given), instead));
    }
  }

  /** A line for logs. */
  String describe() {
    return "an executor needs about %s MB of heap and %s MB beyond it (%s MB of images, %s MB to compute in)"
        .formatted(mega(heap), mega(beyondHeap()), mega(images), mega(compute));
  }

  private static long mega(long bytes) {
    return (bytes + 999_999) / 1_000_000;
  }
}
