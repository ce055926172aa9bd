package org.mixtraining.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.mixtraining.run.EpochOutcome;
import org.mixtraining.run.EpochScores;
import org.mixtraining.run.TaskInfo;
import org.mixtraining.run.WorkerShare;
import org.mixtraining.schedule.Rounds;
import org.mixtraining.train.EpochMetrics;

class AveragingCostTest {

  private final List<String> said = new ArrayList<>();
  private final AveragingCost cost = new AveragingCost(said::add);

  /** An epoch of 10 s of training, of which the workers compute all but {@code averaging}. */
  private static EpochOutcome epoch(int workers, double averaging, long bytes) {
    var task = new TaskInfo("host", "1", "cpu", 1, 0, 10 - averaging, 0, 0);
    var share = new WorkerShare(0, EpochMetrics.NONE, task, 1.0 / workers);
    return new EpochOutcome(
        null,
        null,
        Collections.nCopies(workers, share),
        new Rounds(8, 4, "asked for"),
        bytes,
        EpochScores.NONE,
        10,
        12);
  }

  @Test
  void aTenthOfTheTimeIsToldOnceWithWhatMakesItLess() {
    for (int epoch = 0; epoch < 5; epoch++) {
      cost.write(epoch(2, 2, 100));
    }

    assertThat(said)
        .containsExactly(
            "averaging 2 workers takes 20 % of the training time, 0.50 s for each of 4 averages an epoch; fewer workers, more threads of each (mixtraining.workers.threads-per-worker), a larger mixtraining.optimizer.batch-size or fewer mixtraining.averaging.rounds make it less");
  }

  @Test
  void theFirstEpochStartsWhatTheOthersFindRunning() {
    cost.write(epoch(2, 8, 100));
    cost.write(epoch(2, 0.5, 100));
    cost.write(epoch(2, 0.5, 100));

    assertThat(said).isEmpty();
  }

  @Test
  void oneWorkerIsNotAveragedAndOneProcessSendsNothing() {
    for (int epoch = 0; epoch < 5; epoch++) {
      cost.write(epoch(1, 5, 100));
      cost.write(epoch(2, 5, 0));
    }

    assertThat(said).isEmpty();
  }
}
