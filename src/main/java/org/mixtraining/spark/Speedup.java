package org.mixtraining.spark;

import java.util.List;
import java.util.Locale;
import org.mixtraining.run.TrainingData;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.schedule.MixSchedule;

/**
 * The time that several workers save, estimated before a run: they share its steps, but wait for
 * each average. The constants were measured (the manual's page of performance) and decide nothing.
 *
 * @param steps seconds that one worker takes for the steps of the whole run
 * @param averages of the whole run
 * @param average seconds of each
 */
record Speedup(int workers, double steps, long averages, double average) {

  /** Floating-point operations that a thread does in a second of a step, and a GPU. */
  private static final double THREAD = 50e9;

  private static final double GPU = 20e12;

  /** Seconds of Spark's jobs for an average, and bytes of a state that are exchanged in one. */
  private static final double JOBS = 0.1;

  private static final double BYTES = 500e6;

  static Speedup of(TrainingData data, boolean gpus) {
    List<EpochPlan> epochs = MixSchedule.of(data.config()).epochs();
    var workers = data.config().workers();
    return new Speedup(
        workers.count(),
        PlannedWork.flops(data).training() / (gpus ? GPU : THREAD * workers.threadsPerWorker()),
        epochs.stream().mapToLong(plan -> data.rounds(plan).count()).sum(),
        JOBS + 2 * data.stateBytes() / BYTES); // to the others and from them
  }

  /** Seconds of the run with all workers. */
  double together() {
    return steps / workers + averages * average;
  }

  boolean pays() {
    return workers == 1 || together() < steps;
  }

  String describe() {
    return String.format(
        Locale.ROOT,
        "%d workers should finish %s: about %.0f s (%.0f s of it for %d averages of %.2f s) against %.0f s with one; %s",
        workers,
        pays() ? "sooner than one" : "no sooner than one",
        together(),
        averages * average,
        averages,
        average,
        steps,
        pays()
            ? "the real gain depends on the machines"
            : "mixtraining.workers.count = 1 is no worse");
  }
}
