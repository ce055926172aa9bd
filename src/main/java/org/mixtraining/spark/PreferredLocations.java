package org.mixtraining.spark;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.mixtraining.run.WorkerShare;
import scala.Tuple2;
import scala.collection.JavaConverters;
import scala.reflect.ClassTag$;

/** Preferred executors of a run's workers: where they ran before, as far as that is known. */
final class PreferredLocations {

  private final List<List<String>> places;

  PreferredLocations(int workers) {
    this.places = new ArrayList<>(Collections.nCopies(workers, List.of()));
  }

  /** Notes where workers ran. */
  void ranAt(List<WorkerShare> shares) {
    for (WorkerShare share : shares) {
      // Spark's name for an executor as a place; one that is lost is passed over.
      String executor = "executor_" + share.task().host() + "_" + share.task().executor();
      places.set(share.worker(), List.of(executor));
    }
  }

  /** The numbers of the workers, a partition each. */
  JavaRDD<Integer> numbers(JavaSparkContext spark) {
    if (places.stream().allMatch(List::isEmpty)) {
      return spark.parallelize(IntStream.range(0, places.size()).boxed().toList(), places.size());
    }
    List<Tuple2<Integer, scala.collection.Seq<String>>> numbers = new ArrayList<>();
    for (int w = 0; w < places.size(); w++) {
      numbers.add(new Tuple2<>(w, seq(places.get(w))));
    }
    return spark
        .sc()
        .makeRDD(seq(numbers), ClassTag$.MODULE$.<Integer>apply(Integer.class))
        .toJavaRDD();
  }

  private static <T> scala.collection.Seq<T> seq(List<T> list) {
    return JavaConverters.asScalaBufferConverter(list).asScala().toList();
  }
}
