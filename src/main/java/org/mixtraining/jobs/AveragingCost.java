package org.mixtraining.jobs;

import java.util.Locale;
import java.util.function.Consumer;
import org.mixtraining.run.EpochOutcome;
import org.mixtraining.run.EpochSink;

/** Tells once if averaging takes more than a tenth of a run's training, and what makes it less. */
final class AveragingCost implements EpochSink {

  private static final double SHARE = 0.1;

  private final Consumer<String> progress;
  private int epochs;
  private double training;
  private double averaging;
  private boolean told;

  /**
   * @param progress told in a line
   */
  AveragingCost(Consumer<String> progress) {
    this.progress = progress;
  }

  @Override
  public void write(EpochOutcome epoch) {
    // Nothing is sent where one process trains all workers, one after another.
    if (told || epoch.workers().size() == 1 || epoch.syncBytes() == 0) {
      return;
    }
    epochs++;
    if (epochs == 1) { // starts the workers' processes and compiles their code
      return;
    }
    training += epoch.trainingSeconds();
    averaging += epoch.syncSeconds();
    if (epochs > 2 && averaging > SHARE * training) {
      told = true;
      progress.accept(
          String.format(
              Locale.ROOT,
              "averaging %d workers takes %.0f %% of the training time, %.2f s for each of %d averages an epoch; fewer workers, more threads of each (mixtraining.workers.threads-per-worker), a larger mixtraining.optimizer.batch-size or fewer mixtraining.averaging.rounds make it less",
              epoch.workers().size(),
              100 * averaging / training,
              epoch.syncSeconds() / epoch.rounds().count(),
              epoch.rounds().count()));
    }
  }
}
