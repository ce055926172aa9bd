package org.mixtraining.schedule;

import java.io.Serializable;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.mixtraining.config.AveragingConfig;

/**
 * The rounds of an epoch: the stretches of steps between two averages of the workers.
 *
 * @param steps of the epoch, which every worker takes with its part of each batch
 * @param count of the rounds, at least 1
 * @param reason for the count, for a person
 */
public record Rounds(int steps, int count, String reason) {

  /** Steps between two averages, at least, where the job chooses. */
  private static final int LEAST_STEPS = 4;

  /** Passes over the images in which a worker takes so few; in more passes it takes more. */
  private static final int PASSES = 18;

  /**
   * Averages of a run, at most, where the job chooses, so that they do not become its main cost.
   */
  private static final int AVERAGES = 1200;

  /**
   * The rounds of an epoch. Where the job chooses, a worker takes 4 steps between two averages, and
   * in runs of more than 18 passes over the images as many times more as there are more passes:
   * where models overfit, averaging less costs nothing. Both numbers are from measurements (the
   * manual's experiments); how many workers and images there are did not matter. No run has more
   * than 1200 averages.
   *
   * @param pass steps of the run's longest epoch
   * @param runSteps steps of the whole run
   */
  public static Rounds of(
      AveragingConfig.Rounds asked, int steps, int pass, long runSteps, int workers) {
    if (workers == 1) {
      return new Rounds(steps, 1, "one worker has nobody to be averaged with");
    }
    int most = Math.max(1, steps);
    if (asked.number() != AveragingConfig.Rounds.AUTO) {
      return asked.number() <= most
          ? new Rounds(steps, asked.number(), "set by mixtraining.averaging.rounds")
          : new Rounds(
              steps, most, "mixtraining.averaging.rounds is more than the epoch has steps");
    }
    double passes = runSteps / Math.max(1.0, pass);
    double between =
        Math.max(LEAST_STEPS * Math.max(1, passes / PASSES), (double) runSteps / AVERAGES);
    int count = (int) Math.max(1, Math.round(steps / between));
    return new Rounds(
        steps,
        Math.min(count, most),
        String.format(
            Locale.ROOT, "once every %.0f steps or so, of %d in the whole run", between, runSteps));
  }

  /**
   * A round: steps {@code from} to {@code to} of the epoch, without the last.
   *
   * @param number from 0
   */
  public record Round(int number, int from, int to) implements Serializable {}

  /** All of them in order, of nearly the same number of steps. */
  public List<Round> all() {
    return IntStream.range(0, count).mapToObj(n -> new Round(n, start(n), start(n + 1))).toList();
  }

  private int start(int number) {
    return (int) ((long) steps * number / count);
  }
}
