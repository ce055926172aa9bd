package org.mixtraining.jobs;

import java.util.List;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.stream.Stream;
import org.mixtraining.results.RunRow.Progress;
import org.mixtraining.spark.PlannedWork;

/** The purposes that a run spends device time on: training and evaluation. */
enum DeviceTime {
  TRAINING(Progress::deviceSeconds, Progress::flops, PlannedWork.Flops::training),
  EVALUATION(
      Progress::evaluationDeviceSeconds, Progress::evaluationFlops, PlannedWork.Flops::evaluation);

  private final Function<Progress, Double> seconds;
  private final Function<Progress, Double> done;
  private final Function<PlannedWork.Flops, Double> planned;

  DeviceTime(
      Function<Progress, Double> seconds,
      Function<Progress, Double> done,
      Function<PlannedWork.Flops, Double> planned) {
    this.seconds = seconds;
    this.done = done;
    this.planned = planned;
  }

  /** What it took, in device seconds; null where an older version trained the run. */
  Double seconds(Progress run) {
    return seconds.apply(run);
  }

  /** What of a plan it is for. */
  double flops(PlannedWork.Flops plan) {
    return planned.apply(plan);
  }

  /** Floating-point operations a device second; unknown without runs that tell. */
  OptionalDouble rate(Stream<Progress> finished) {
    List<Progress> runs =
        finished.filter(run -> seconds.apply(run) != null && done.apply(run) != null).toList();
    double time = runs.stream().mapToDouble(seconds::apply).sum();
    return time > 0
        ? OptionalDouble.of(runs.stream().mapToDouble(done::apply).sum() / time)
        : OptionalDouble.empty();
  }
}
