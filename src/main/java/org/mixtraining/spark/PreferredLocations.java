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

  private final List<List<String>> executors;

  PreferredLocations(int workers) {
    this.executors = new ArrayList<>(Collections.nCopies(workers, List.of()));
  }

  /** Notes where workers ran. */
  void ranAt(List<WorkerShare> shares) {
    for (WorkerShare share : shares) {
      // Spark's name of an executor as a location; a lost one is ignored.
      String executor = "executor_" + share.task().host() + "_" + share.task().executor();
      executors.set(share.worker(), List.of(executor));
    }
  }

  /** The numbers of the workers, a partition each. */
  JavaRDD<Integer> numbers(JavaSparkContext spark) {
    if (executors.stream().allMatch(List::isEmpty)) {
      int workers = executors.size();
      return spark.parallelize(IntStream.range(0, workers).boxed().toList(), workers);
    }
    List<Tuple2<Integer, scala.collection.Seq<String>>> numbers = new ArrayList<>();
    for (int w = 0; w < executors.size(); w++) {
      numbers.add(new Tuple2<>(w, seq(executors.get(w))));
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
