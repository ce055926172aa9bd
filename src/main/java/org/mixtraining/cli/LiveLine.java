package org.mixtraining.cli;

import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.mixtraining.jobs.Durations;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.spark.ExecutorProgress;
import org.mixtraining.spark.WorkerProgress;
import org.mixtraining.train.EpochMetrics;

/** The progress line of the running epoch, redrawn as executors report. */
final class LiveLine implements Consumer<ExecutorProgress> {
  private static final long APART_NANOS = 200_000_000L;

  private final EpochLine finished;
  private final Consumer<String> screen;
  private final Map<Integer, WorkerProgress> workers = new TreeMap<>();
  private int epoch = -1;
  private long drawn = System.nanoTime() - APART_NANOS;

  /**
   * @param finished knows how long epochs took
   * @param screen draws the line
   */
  LiveLine(EpochLine finished, Consumer<String> screen) {
    this.finished = finished;
    this.screen = screen;
  }

  @Override
  public synchronized void accept(ExecutorProgress progress) {
    for (WorkerProgress worker : progress.workers()) {
      if (worker.plan().epoch() > epoch) {
        workers.clear();
        epoch = worker.plan().epoch();
      }
      if (worker.plan().epoch() == epoch) {
        workers.put(worker.worker(), worker);
      }
    }
    long now = System.nanoTime();
    if (!progress.workers().isEmpty() && now - drawn >= APART_NANOS) {
      drawn = now;
      screen.accept(text());
    }
  }

  private String text() {
    EpochPlan plan = workers.values().iterator().next().plan();
    EpochMetrics sums = EpochMetrics.NONE;
    double rate = 0;
    long done = 0;
    long steps = 0;
    for (WorkerProgress worker : workers.values()) {
      sums = sums.plus(worker.soFar());
      rate += worker.imagesPerSecond();
      done += worker.done();
      steps += worker.steps();
    }
    int known = workers.size();
    StringBuilder line = new StringBuilder();
    EpochLine.add(line, "epoch %d/%d", plan.epoch() + 1, plan.epochs());
    EpochLine.add(line, "%s", plan.title());
    EpochLine.add(line, "step %d/%d", done / known, steps / known);
    EpochLine.add(line, "%.0f images/s", rate);
    EpochLine.add(line, "loss %.4f", sums.loss() / sums.images());
    if (sums.labelled() > 0) {
      EpochLine.add(line, "train %.1f %%", 100.0 * sums.correct() / sums.labelled());
    }
    double share = (double) done / steps;
    double elapsed = sums.computeSeconds() + sums.waitSeconds();
    EpochLine.add(line, "%s left", Durations.text(left(plan, elapsed, share)));
    return line.toString();
  }

  /** Seconds: the rest of this epoch at its own pace, and the others as long as those before. */
  private double left(EpochPlan plan, double elapsed, double share) {
    double mean = finished.secondsAnEpoch();
    double each = Double.isNaN(mean) ? elapsed / share : mean;
    return elapsed * (1 - share) / share + each * (plan.epochs() - plan.epoch() - 1);
  }
}
