package org.mixtraining.spark.exchange;

import java.io.Serializable;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.Partitioner;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.resource.ResourceProfile;
import org.mixtraining.config.OptimizerConfig.Betas;
import org.mixtraining.run.RoundAverage;
import org.mixtraining.run.WorkerResult;
import org.mixtraining.vit.state.ModelState;
import scala.Tuple2;

/**
 * The executors average slices of the states between them, and the driver gets one averaged state,
 * however many workers there are.
 *
 * <p>Each worker sends its slices to the reducers, and its report to each of them. Sorted by slice
 * and then worker, a slice's values arrive in worker order, after the reports that give their
 * weights: so they are averaged as on the driver, to the same bits, one slice in memory at a time.
 */
final class ShuffleExchange implements StateExchange {

  /** Bytes of a slice of a worker's state, about. */
  private static final int SLICE_BYTES = 1 << 18;

  /** Of a slice; or of the report to a reducer, as −1 − reducer, which comes before all slices. */
  private record Key(int slice, int worker) implements Serializable, Comparable<Key> {
    private static final Comparator<Key> ORDER =
        Comparator.comparingInt(Key::slice).thenComparingInt(Key::worker);

    @Override
    public int compareTo(Key other) {
      return ORDER.compare(this, other);
    }
  }

  private final Optional<ResourceProfile> profile;

  /**
   * @param profile of the stages that train, on whose executors it averages too: under dynamic
   *     allocation others might never be allocated, while those keep what they have to send
   */
  ShuffleExchange(Optional<ResourceProfile> profile) {
    this.profile = profile;
  }

  /** A worker's report, or its values of a slice; or, averaged, everybody's. */
  private record Part(WorkerResult report, byte[] values) implements Serializable {}

  private static final class Reducers extends Partitioner {
    private static final long serialVersionUID = 1L;
    private final int count;

    Reducers(int count) {
      this.count = count;
    }

    @Override
    public int numPartitions() {
      return count;
    }

    @Override
    public int getPartition(Object key) {
      int slice = ((Key) key).slice;
      return slice < 0 ? -1 - slice : slice % count;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Reducers that && count == that.count;
    }

    @Override
    public int hashCode() {
      return count;
    }
  }

  @Override
  public Averaged average(JavaRDD<WorkerResult> results, Held before, Betas betas) {
    ModelState state = before.state();
    SliceLayout layout = SliceLayout.of(state, (int) (state.bytes() / SLICE_BYTES) + 1);
    int reducers = Math.min(results.context().defaultParallelism(), layout.count());
    ModelState steps = state.withoutValues();
    Reader reader = before.reader();
    JavaPairRDD<Key, Part> parts =
        results
            .flatMapToPair(result -> parts(result, layout, reducers))
            .repartitionAndSortWithinPartitions(new Reducers(reducers));
    try {
      JavaRDD<Tuple2<Key, Part>> means =
          parts.mapPartitionsWithIndex(
              (reducer, sorted) -> reduce(reducer, sorted, layout, steps, betas, reader), false);
      profile.ifPresent(means::withResources);
      return assemble(
          JavaSparkContext.fromSparkContext(results.context()), layout, means.collect(), state);
    } finally {
      parts.rdd().cleanShuffleDependencies(false); // or each round's would stay on the disks
    }
  }

  @Override
  public long bytes(ModelState state, int workers, int rounds) {
    return (2L * workers + 1) * rounds * state.bytes();
  }

  private static Iterator<Tuple2<Key, Part>> parts(
      WorkerResult result, SliceLayout layout, int reducers) {
    Stream<Tuple2<Key, Part>> reports =
        IntStream.range(0, reducers)
            .mapToObj(r -> new Tuple2<>(key(-1 - r, result), new Part(result.report(), null)));
    Stream<Tuple2<Key, Part>> values =
        IntStream.range(0, layout.count())
            .mapToObj(
                s ->
                    new Tuple2<>(
                        key(s, result), new Part(null, layout.cut(result.state(), s).array())));
    return Stream.concat(reports, values).iterator();
  }

  private static Key key(int slice, WorkerResult result) {
    return new Key(slice, result.worker());
  }

  /** The averaged slices of a reducer; the first one passes the reports on as well. */
  private static Iterator<Tuple2<Key, Part>> reduce(
      int reducer,
      Iterator<Tuple2<Key, Part>> sorted,
      SliceLayout layout,
      ModelState steps,
      Betas betas,
      Reader before) {
    List<Tuple2<Key, Part>> averages = new ArrayList<>();
    List<WorkerResult> reports = new ArrayList<>();
    List<ByteBuffer> own = new ArrayList<>();
    SliceAverage average = new SliceAverage(layout, reports, steps, betas);
    while (sorted.hasNext()) {
      Tuple2<Key, Part> part = sorted.next();
      if (part._1.slice < 0) {
        reports.add(part._2.report);
        continue;
      }
      own.add(ByteBuffer.wrap(part._2.values));
      if (own.size() == reports.size()) {
        byte[] mean = average.of(part._1.slice, own, before).array();
        averages.add(new Tuple2<>(part._1, new Part(null, mean)));
        own.clear();
      }
    }
    if (reducer == 0) {
      reports.forEach(
          report -> averages.add(new Tuple2<>(key(-1, report), new Part(report, null))));
    }
    return averages.iterator();
  }

  private Averaged assemble(
      JavaSparkContext spark,
      SliceLayout layout,
      List<Tuple2<Key, Part>> averages,
      ModelState before) {
    List<WorkerResult> reports =
        averages.stream().map(average -> average._2.report).filter(Objects::nonNull).toList();
    ModelState state = layout.blank(RoundAverage.blank(reports, before));
    averages.stream()
        .filter(average -> average._2.values != null)
        .forEach(
            average -> layout.paste(ByteBuffer.wrap(average._2.values), average._1.slice, state));
    return new Averaged(hold(spark, state), reports);
  }
}
