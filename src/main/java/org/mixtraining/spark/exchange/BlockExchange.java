package org.mixtraining.spark.exchange;

import java.io.Serializable;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.resource.ResourceProfile;
import org.apache.spark.storage.BlockManagerId;
import org.mixtraining.config.OptimizerConfig.Betas;
import org.mixtraining.run.EpochAverage;
import org.mixtraining.run.WorkerResult;
import org.mixtraining.vit.state.ModelState;

/**
 * The executors average slices between them, and keep the average: between the rounds of an epoch
 * no state passes through the driver.
 *
 * <p>Each training task cuts its state into slices and puts them into its executor's block manager.
 * A second small job averages: task s fetches slice s of every worker from where it lies, sums them
 * as {@link EpochAverage} does, and puts the mean. The tasks of the next round fetch all means. If
 * an executor dies, its slices are lost, which a {@link SlicesLostException} tells.
 */
final class BlockExchange implements StateExchange {

  /** Bytes of all workers' slices that a task averages, at most: it holds them all. */
  private static final long TASK_BYTES = 128_000_000;

  private final Optional<ResourceProfile> profile;

  /** RDDs of rounds that failed, whose killed tasks may have put blocks after all. */
  private final List<JavaRDD<?>> failed = new ArrayList<>();

  /**
   * @param profile of the stages that train, whose executors average too
   */
  BlockExchange(Optional<ResourceProfile> profile) {
    this.profile = profile;
  }

  /** A worker's report, and where its slices are. */
  private record Report(WorkerResult result, BlockManagerId place) implements Serializable {}

  @Override
  public Held hold(JavaSparkContext spark, ModelState state) {
    close();
    return StateExchange.super.hold(spark, state);
  }

  @Override
  public void close() {
    failed.forEach(rdd -> rdd.unpersist(false));
    failed.clear();
  }

  @Override
  public Averaged average(JavaRDD<WorkerResult> results, Held before, Betas betas) {
    SliceLayout layout = layout(results, before);
    int rdd = results.id();
    try {
      List<Report> reports =
          results.map(result -> keep(result, layout, rdd)).collect().stream()
              .sorted(Comparator.comparingInt(report -> report.result.worker()))
              .toList();
      Held mean = average(results, reports, layout, before, betas);
      results.unpersist(false);
      return new Averaged(mean, reports.stream().map(Report::result).toList());
    } catch (Throwable e) { // whatever it is, Spark's checked exceptions too, it is thrown on
      abandon(results);
      throw e;
    }
  }

  private void abandon(JavaRDD<?> rdd) {
    rdd.unpersist(false);
    failed.add(rdd);
  }

  /** That of the state before, or, for the first round, one for as many tasks as can run. */
  private static SliceLayout layout(JavaRDD<WorkerResult> results, Held before) {
    if (before instanceof SlicedState sliced) {
      return sliced.layout();
    }
    ModelState state = before.state();
    int workers = results.getNumPartitions();
    int tasks = Math.min(workers, results.context().defaultParallelism());
    long least = workers * state.bytes() / TASK_BYTES + 1;
    return SliceLayout.of(state, (int) Math.max(tasks, least));
  }

  private static ModelState steps(Held before) {
    return before instanceof SlicedState sliced ? sliced.steps() : before.state().withoutValues();
  }

  /** Puts a worker's slices into the block manager of its executor. */
  private static Report keep(WorkerResult result, SliceLayout layout, int rdd) {
    for (int s = 0; s < layout.count(); s++) {
      ByteBuffer slice = layout.cut(result.state(), s);
      ExecutorBlocks.put(rdd, number(layout, result.worker(), s), slice, s == 0);
    }
    if (TaskContext.get().isInterrupted()) { // the driver may have freed the RDD's blocks before
      ExecutorBlocks.remove(rdd);
      TaskContext.get().killTaskIfInterrupted();
    }
    return new Report(result.report(), ExecutorBlocks.here());
  }

  private static int number(SliceLayout layout, int worker, int slice) {
    return worker * layout.count() + slice;
  }

  private Held average(
      JavaRDD<WorkerResult> results,
      List<Report> reports,
      SliceLayout layout,
      Held before,
      Betas betas) {
    List<WorkerResult> ends = reports.stream().map(Report::result).toList();
    ModelState began = steps(before);
    ModelState steps = EpochAverage.blank(ends, began);
    SliceAverage average = new SliceAverage(layout, ends, began, betas);
    List<BlockManagerId> places = reports.stream().map(Report::place).toList();
    int from = results.id();
    Reader start = before.reader();
    JavaRDD<Integer> slices =
        PreferredLocations.spread(
            JavaSparkContext.fromSparkContext(results.context()), layout.count(), places);
    profile.ifPresent(slices::withResources);
    int rdd = slices.id();
    try {
      List<BlockManagerId> means =
          slices.map(slice -> mean(average, slice, places, from, start, rdd)).collect();
      return new SlicedState(slices, new SlicedState.Slices(layout, steps, rdd, means));
    } catch (Throwable e) { // thrown on
      abandon(slices);
      throw e;
    }
  }

  /** Puts the mean of a slice into the block manager of this executor. */
  private static BlockManagerId mean(
      SliceAverage average,
      int slice,
      List<BlockManagerId> places,
      int from,
      Reader before,
      int rdd) {
    SliceLayout layout = average.layout();
    List<ExecutorBlocks.Address> addresses =
        IntStream.range(0, places.size())
            .mapToObj(
                w -> new ExecutorBlocks.Address(places.get(w), from, number(layout, w, slice)))
            .toList();
    ByteBuffer[] own = new ByteBuffer[places.size()];
    ExecutorBlocks.read(addresses, (w, bytes) -> own[w] = bytes);
    ExecutorBlocks.put(rdd, slice, average.of(slice, Stream.of(own).toList(), before), slice == 0);
    return ExecutorBlocks.here();
  }

  /**
   * A state for each worker to begin with, and for each round one from each worker and, but for the
   * last, one to it; at the end, one for the driver.
   */
  @Override
  public long bytes(ModelState state, int workers, int rounds) {
    return (2L * workers * rounds + 1) * state.bytes();
  }
}
