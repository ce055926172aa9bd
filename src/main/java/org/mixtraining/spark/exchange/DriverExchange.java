package org.mixtraining.spark.exchange;

import java.util.Comparator;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.mixtraining.config.OptimizerConfig.Betas;
import org.mixtraining.run.RoundAverage;
import org.mixtraining.run.WorkerResult;
import org.mixtraining.vit.state.ModelState;

/**
 * The driver collects all states and averages them: the least work, for as many workers as the
 * driver has room for.
 */
final class DriverExchange implements StateExchange {

  @Override
  public Averaged average(JavaRDD<WorkerResult> results, Held before, Betas betas) {
    List<WorkerResult> states =
        results.collect().stream().sorted(Comparator.comparingInt(WorkerResult::worker)).toList();
    return new Averaged(
        hold(
            JavaSparkContext.fromSparkContext(results.context()),
            RoundAverage.of(states, before.state(), betas)),
        states.stream().map(WorkerResult::report).toList());
  }

  @Override
  public long bytes(ModelState state, int workers, int rounds) {
    return 2L * workers * rounds * state.bytes();
  }
}
