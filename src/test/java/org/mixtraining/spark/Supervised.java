package org.mixtraining.spark;

import java.time.Duration;
import java.util.function.Supplier;
import org.apache.spark.api.java.JavaSparkContext;

/** Work that is watched as the epochs of a run are. */
public final class Supervised {
  private Supervised() {}

  public static <R> R run(JavaSparkContext spark, Supplier<R> work) {
    try (Supervision supervision = new Supervision(spark, Duration.ofMinutes(1))) {
      return supervision.run("test", work);
    }
  }
}
