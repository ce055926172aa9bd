package org.mixtraining.spark.exchange;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toList;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.commons.lang3.function.Failable;
import org.apache.commons.lang3.reflect.MethodUtils;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.rdd.RDD;
import org.apache.spark.storage.BlockManagerId;
import org.mixtraining.run.TaskInfo;
import org.mixtraining.run.WorkerResult;
import scala.Tuple2;
import scala.collection.immutable.$colon$colon;
import scala.collection.immutable.List$;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/**
 * Preferred executors of a run's workers, or of the parts of its evaluation: where they ran before,
 * as far as that is known, since their images and replicas are there. They change no bit.
 */
public final class PreferredLocations {

  /**
   * Where one of them ran last.
   *
   * @param location empty if it is not known
   * @param since the greater, the later it came there
   */
  private record Place(List<String> location, long since) {
    private static final Place UNKNOWN = new Place(List.of(), 0);
  }

  private final List<Place> places;
  private long arrivals;

  public PreferredLocations(int workers) {
    this.places = new ArrayList<>(Collections.nCopies(workers, Place.UNKNOWN));
  }

  /** Notes where workers ran. */
  public void ranAt(List<WorkerResult> reports) {
    for (WorkerResult report : reports) {
      TaskInfo task = report.task();
      ranAt(report.worker(), task.host(), task.executor());
    }
  }

  /** Notes where one ran. */
  public void ranAt(int number, String host, String executor) {
    List<String> location = location(host, executor);
    if (!places.get(number).location().equals(location)) {
      places.set(number, new Place(location, ++arrivals));
    }
  }

  /** Spark's name of an executor as a location; a lost one is ignored. */
  private static List<String> location(String host, String executor) {
    return List.of("executor_" + host + "_" + executor);
  }

  /** The numbers of the workers, a partition each. */
  public JavaRDD<Integer> numbers(JavaSparkContext spark) {
    int alive = spark.sc().isLocal() ? 1 : spark.sc().statusTracker().getExecutorInfos().length - 1;
    return numbers(spark, shared(Math.max(1, alive)));
  }

  /**
   * Locations without those that an executor has beyond its share: workers that had to share one
   * while others were not there stay together no longer than that. Those that came last leave, so
   * that only workers of an executor that was lost move again once another replaces it.
   *
   * @param alive executors that there are
   */
  List<List<String>> shared(int alive) {
    int share = (places.size() + alive - 1) / alive;
    Map<List<String>, List<Long>> arrivals =
        places.stream()
            .sorted(Comparator.comparingLong(Place::since))
            .collect(groupingBy(Place::location, mapping(Place::since, toList())));
    return places.stream()
        .map(
            place ->
                arrivals.get(place.location()).indexOf(place.since()) < share
                    ? place.location()
                    : List.<String>of())
        .toList();
  }

  /** Numbers from 0, a partition each, that prefer all of these executors in turn. */
  static JavaRDD<Integer> spread(JavaSparkContext spark, int count, List<BlockManagerId> places) {
    List<BlockManagerId> distinct = places.stream().distinct().toList();
    return numbers(
        spark,
        IntStream.range(0, count)
            .mapToObj(i -> distinct.get(i % distinct.size()))
            .map(place -> location(place.host(), place.executorId()))
            .toList());
  }

  /**
   * By reflection and from a list that is a sequence to both, since Scala 2.12 and 2.13 mean
   * different types by Seq: the same jar runs on Spark 3.5 and 4.
   */
  private static JavaRDD<Integer> numbers(JavaSparkContext spark, List<List<String>> locations) {
    List<Tuple2<Integer, ?>> numbers =
        IntStream.range(0, locations.size())
            .<Tuple2<Integer, ?>>mapToObj(i -> new Tuple2<>(i, scala(locations.get(i))))
            .toList();
    ClassTag<?> type = ClassTag$.MODULE$.apply(Integer.class);
    Object rdd =
        Failable.call(() -> MethodUtils.invokeMethod(spark.sc(), "makeRDD", scala(numbers), type));
    return ((RDD<?>) rdd).toJavaRDD().map(Integer.class::cast);
  }

  private static <T> scala.collection.immutable.List<T> scala(List<T> list) {
    scala.collection.immutable.List<T> all = List$.MODULE$.empty();
    for (int i = list.size() - 1; i >= 0; i--) {
      all = new $colon$colon<>(list.get(i), all);
    }
    return all;
  }
}
