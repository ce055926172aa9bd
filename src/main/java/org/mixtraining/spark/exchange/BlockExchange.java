package org.mixtraining.spark.exchange;

import java.io.Serializable;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.resource.ResourceProfile;
import org.apache.spark.storage.BlockManagerId;
import org.mixtraining.config.OptimizerConfig.Betas;
import org.mixtraining.run.RoundAverage;
import org.mixtraining.run.WorkerResult;
import org.mixtraining.vit.state.ModelState;

/**
 * The executors average slices between them, and keep the average: between the rounds of an epoch
 * no state passes through the driver.
 *
 * <p>Each training task cuts its state into slices and puts them into its executor's block manager.
 * A second small job averages: each task fetches its slices of every worker from where they lie,
 * sums them as {@link RoundAverage} does, and puts the means. The tasks of the next round fetch all
 * means. If an executor dies, its slices are lost, which a {@link SlicesLostException} tells.
 */
final class BlockExchange implements StateExchange {

  /** Bytes of a slice: Spark's transport copies what is larger than 20 MB once more. */
  private static final long SLICE_BYTES = 4_000_000;

  /** The least of them: as many as workers would be their number squared in all. */
  private static final long LEAST_SLICE_BYTES = 64_000;

  /** Bytes of all workers' slices that a task holds at a time, if there are several slices. */
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

  /**
   * That of the state before, or one for the first round: no task goes without a slice, unless that
   * would take ever smaller slices of many workers.
   */
  private static SliceLayout layout(JavaRDD<WorkerResult> results, Held before) {
    if (before instanceof SlicedState sliced) {
      return sliced.layout();
    }
    ModelState state = before.state();
    long most = Math.max(1, state.bytes() / LEAST_SLICE_BYTES);
    long count =
        Math.max(Math.min(results.getNumPartitions(), most), state.bytes() / SLICE_BYTES + 1);
    return SliceLayout.of(state, (int) count);
  }

  private static ModelState steps(Held before) {
    return before instanceof SlicedState sliced ? sliced.steps() : before.state().withoutValues();
  }

  /** Puts a worker's slices into the block manager of its executor. */
  private static Report keep(WorkerResult result, SliceLayout layout, int rdd) {
    for (int s = 0; s < layout.count(); s++) {
      ByteBuffer slice = layout.cut(result.state(), s);
      ExecutorBlocks.put(rdd, block(layout, result.worker(), s), slice, s == 0);
    }
    if (TaskContext.get().isInterrupted()) { // the driver may have freed the RDD's blocks before
      ExecutorBlocks.remove(rdd);
      TaskContext.get().killTaskIfInterrupted();
    }
    return new Report(result.report(), ExecutorBlocks.here());
  }

  private static int block(SliceLayout layout, int worker, int slice) {
    return worker * layout.count() + slice;
  }

  private Held average(
      JavaRDD<WorkerResult> results,
      List<Report> reports,
      SliceLayout layout,
      Held before,
      Betas betas) {
    JavaSparkContext spark = JavaSparkContext.fromSparkContext(results.context());
    List<WorkerResult> ends = reports.stream().map(Report::result).toList();
    ModelState began = steps(before);
    List<BlockManagerId> places = reports.stream().map(Report::place).toList();
    ModelState steps = RoundAverage.blank(ends, began);
    int count =
        Math.min(layout.count(), Math.min(places.size(), results.context().defaultParallelism()));
    JavaRDD<Integer> tasks = PreferredLocations.spread(spark, count, places);
    profile.ifPresent(tasks::withResources);
    Averaging averaging =
        new Averaging(
            new SliceAverage(layout, ends, began, betas),
            places,
            results.id(),
            before.reader(),
            tasks.id(),
            count);
    try {
      List<BlockManagerId> means = tasks.map(averaging::run).collect();
      List<BlockManagerId> slices =
          IntStream.range(0, count)
              .boxed()
              .flatMap(task -> averaging.slices(task).mapToObj(slice -> means.get(task)))
              .toList();
      return new SlicedState(tasks, new SlicedState.Slices(layout, steps, tasks.id(), slices));
    } catch (Throwable e) { // thrown on
      abandon(tasks);
      throw e;
    }
  }

  /**
   * The tasks that average, each as many slices in a row as the others.
   *
   * @param places where the slices of each worker are
   * @param from id of the RDD whose blocks these are
   * @param before reads the state that the workers began with
   * @param to id of the RDD whose blocks the means become
   */
  private record Averaging(
      SliceAverage average, List<BlockManagerId> places, int from, Reader before, int to, int tasks)
      implements Serializable {

    /** The slices of a task. */
    IntStream slices(int task) {
      int count = average.layout().count();
      return IntStream.range(
          (int) ((long) count * task / tasks), (int) ((long) count * (task + 1) / tasks));
    }

    /** Puts the means of a task's slices into the block manager of this executor. */
    BlockManagerId run(int task) {
      int[] slices = slices(task).toArray();
      long together = Math.max(1, TASK_BYTES / (SLICE_BYTES * places.size()));
      for (int first = 0; first < slices.length; first += (int) together) {
        int end = (int) Math.min(first + together, slices.length);
        put(Arrays.copyOfRange(slices, first, end), first == 0);
      }
      return ExecutorBlocks.here();
    }

    private void put(int[] slices, boolean told) {
      int workers = places.size();
      List<ExecutorBlocks.Address> addresses = new ArrayList<>();
      for (int slice : slices) {
        for (int w = 0; w < workers; w++) {
          int block = block(average.layout(), w, slice);
          addresses.add(new ExecutorBlocks.Address(places.get(w), from, block));
        }
      }
      List<ByteBuffer> own = ExecutorBlocks.get(addresses);
      for (int i = 0; i < slices.length; i++) {
        List<ByteBuffer> all = own.subList(i * workers, (i + 1) * workers);
        ExecutorBlocks.put(to, slices[i], average.of(slices[i], all, before), told && i == 0);
      }
    }
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
