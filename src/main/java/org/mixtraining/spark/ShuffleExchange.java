package org.mixtraining.spark;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.Partitioner;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.mixtraining.run.EpochAverage;
import org.mixtraining.run.WorkerResult;
import org.mixtraining.vit.state.ModelState;
import scala.Tuple2;

/**
 * The executors average slices of the states between them, and the driver gets one averaged state,
 * however many workers there are.
 *
 * <p>Each worker sends its slices to the reducers, and its report to each of them. Sorted by slice
 * and then worker, a slice's values arrive in worker order, after the reports that give their
 * weights: so they are summed as on the driver, to the same bits, one slice in memory at a time. Of
 * a block that it did not train a worker sends nothing.
 */
final class ShuffleExchange implements StateExchange {

  /** Of a slice; or of the report to a reducer, as −1 − reducer, which comes before all slices. */
  private record Key(int slice, int worker) implements Serializable, Comparable<Key> {
    private static final Comparator<Key> ORDER =
        Comparator.comparingInt(Key::slice).thenComparingInt(Key::worker);

    @Override
    public int compareTo(Key other) {
      return ORDER.compare(this, other);
    }
  }

  /** A worker's report, or its values of a slice of a block; or, averaged, everybody's. */
  private record Part(WorkerResult report, String block, float[] values) implements Serializable {
    static Part of(WorkerResult report) {
      return new Part(report, null, null);
    }
  }

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
  public Averaged average(JavaRDD<WorkerResult> results, Held before) {
    int slots = results.context().defaultParallelism();
    int reducers = Math.max(1, Math.min(slots, new Slices(before.state()).count()));
    JavaPairRDD<Key, Part> parts =
        results
            .flatMapToPair(result -> parts(result, reducers))
            .repartitionAndSortWithinPartitions(new Reducers(reducers));
    try {
      return assemble(
          JavaSparkContext.fromSparkContext(results.context()),
          parts.mapPartitionsWithIndex(ShuffleExchange::reduce, false).collect(),
          before.state());
    } finally {
      parts.rdd().cleanShuffleDependencies(false); // or each epoch's would stay on the disks
    }
  }

  @Override
  public long bytes(ModelState state, int workers, int rounds) {
    return (2L * workers + 1) * rounds * state.bytes();
  }

  private static Iterator<Tuple2<Key, Part>> parts(WorkerResult result, int reducers) {
    Slices slices = new Slices(result.state());
    Stream<Tuple2<Key, Part>> reports =
        IntStream.range(0, reducers)
            .mapToObj(r -> new Tuple2<>(key(-1 - r, result), Part.of(result.report())));
    Stream<Tuple2<Key, Part>> values =
        IntStream.range(0, slices.count())
            .filter(s -> EpochAverage.images(result, slices.block(s)) > 0)
            .mapToObj(
                s -> new Tuple2<>(key(s, result), new Part(null, slices.block(s), slices.read(s))));
    return Stream.concat(reports, values).iterator();
  }

  private static Key key(int slice, WorkerResult result) {
    return new Key(slice, result.worker());
  }

  /** The averaged slices of a reducer; the first one passes the reports on as well. */
  private static Iterator<Tuple2<Key, Part>> reduce(
      int reducer, Iterator<Tuple2<Key, Part>> sorted) {
    List<Tuple2<Key, Part>> averages = new ArrayList<>();
    List<WorkerResult> reports = new ArrayList<>();
    Sum sum = null;
    while (sorted.hasNext()) {
      Tuple2<Key, Part> part = sorted.next();
      if (part._1.slice < 0) {
        reports.add(part._2.report);
        continue;
      }
      if (sum == null || sum.slice != part._1.slice) {
        String block = part._2.block;
        sum = new Sum(part._1.slice, part._2.values.length, EpochAverage.weights(reports, block));
        averages.add(new Tuple2<>(part._1, new Part(null, block, sum.average)));
      }
      sum.add(part._1.worker, part._2.values);
    }
    if (reducer == 0) {
      reports.forEach(report -> averages.add(new Tuple2<>(key(-1, report), Part.of(report))));
    }
    return averages.iterator();
  }

  /** The weighted sum of a slice, in double precision, and what it comes to. */
  private static final class Sum {
    private final int slice;
    private final double[] weights;
    private final double[] sums;
    private final float[] average;

    Sum(int slice, int length, double[] weights) {
      this.slice = slice;
      this.weights = weights;
      this.sums = new double[length];
      this.average = new float[length];
    }

    void add(int worker, float[] values) {
      double weight = weights[worker];
      for (int i = 0; i < sums.length; i++) {
        sums[i] += weight * values[i];
        // As on the driver, what only one worker has trained stays as it is, −0 too.
        average[i] = weight == 1 ? values[i] : (float) sums[i];
      }
    }
  }

  private Averaged assemble(
      JavaSparkContext spark, List<Tuple2<Key, Part>> averages, ModelState before) {
    List<WorkerResult> reports =
        averages.stream().map(average -> average._2.report).filter(Objects::nonNull).toList();
    ModelState state = EpochAverage.blank(reports, before);
    Slices slices = new Slices(state);
    averages.stream()
        .filter(average -> average._2.values != null)
        .forEach(average -> slices.write(average._1.slice, average._2.values));
    return new Averaged(hold(spark, state), reports);
  }
}
