package org.mixtraining.cli;

import java.util.Locale;
import org.mixtraining.jobs.Durations;
import org.mixtraining.run.EpochOutcome;
import org.mixtraining.schedule.EpochPlan;
import org.mixtraining.train.EpochMetrics;
import org.mixtraining.train.Scores;

/** The progress line of a finished epoch. */
final class EpochLine {

  private double secondsSoFar;
  private int epochsSoFar;

  /** The mean of those that are finished; NaN of none. */
  synchronized double secondsAnEpoch() {
    return secondsSoFar / epochsSoFar;
  }

  synchronized String of(EpochOutcome outcome) {
    EpochPlan plan = outcome.plan();
    EpochMetrics m = outcome.metrics();
    secondsSoFar += outcome.seconds();
    epochsSoFar++;
    StringBuilder line = new StringBuilder();
    add(line, "epoch %d/%d", plan.epoch() + 1, plan.epochs());
    add(line, "%s", plan.title());
    add(line, "loss %.4f", m.loss() / m.images());
    if (m.labelled() > 0) {
      add(line, "train %.1f %%", 100.0 * m.correct() / m.labelled());
    }
    accuracy(line, "validation", outcome.scores().validation());
    accuracy(line, "test", outcome.scores().test());
    add(line, "%.0f images/s", m.images() / m.computeSeconds());
    add(
        line,
        "%.1f s (sync %.1f, evaluation %.1f)",
        outcome.seconds(),
        outcome.syncSeconds(),
        outcome.evaluationSeconds());
    int left = plan.epochs() - plan.epoch() - 1;
    if (left > 0) {
      add(line, "%s left", Durations.text(secondsSoFar / epochsSoFar * left));
    }
    return line.toString();
  }

  private static void accuracy(StringBuilder line, String split, Scores score) {
    if (score.images() > 0) {
      add(line, "%s %.1f %%", split, 100 * score.accuracy());
    }
  }

  static void add(StringBuilder line, String format, Object... values) {
    line.append(line.isEmpty() ? "" : " · ").append(String.format(Locale.ROOT, format, values));
  }
}
