package org.mixtraining.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.config.AveragingConfig;
import org.mixtraining.schedule.Rounds.Round;

class RoundsTest {

  private static final AveragingConfig.Rounds AUTO =
      new AveragingConfig.Rounds(AveragingConfig.Rounds.AUTO);

  private static Rounds asked(int number, int steps, int workers) {
    return Rounds.of(new AveragingConfig.Rounds(number), steps, 1000, workers);
  }

  @Test
  void roundsAreEqualPartsOfTheEpochThatLeaveNoStepOut() {
    assertThat(asked(3, 10, 2).all())
        .containsExactly(new Round(0, 0, 3), new Round(1, 3, 6), new Round(2, 6, 10));
    assertThat(asked(1, 10, 2).all()).containsExactly(new Round(0, 0, 10));
  }

  @Test
  void thereAreNoMoreThanSteps() {
    Rounds rounds = asked(9, 4, 2);

    assertThat(rounds.all()).hasSize(4).allMatch(round -> round.to() == round.from() + 1);
    assertThat(rounds.reason())
        .isEqualTo("mixtraining.averaging.rounds is more than the epoch has steps");
    assertThat(asked(9, 0, 2).all()).containsExactly(new Round(0, 0, 0));
  }

  @Test
  void oneWorkerIsNotAveraged() {
    assertThat(asked(9, 100, 1).count()).isEqualTo(1);
    assertThat(Rounds.of(AUTO, 100, 1000, 1).count()).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({
    // steps, epochs, workers, rounds
    "71, 18, 2, 4",
    "71, 18, 4, 9",
    "71, 18, 8, 18",
    "71, 54, 4, 3", // 3834 steps: 96 between two averages, over all workers
    "71, 5400, 8, 1",
    "3, 18, 8, 1",
    "3, 3, 64, 3",
  })
  void theJobAveragesMoreOftenWithMoreWorkersAndLessOftenInLongRuns(
      int steps, long epochs, int workers, int rounds) {
    assertThat(Rounds.of(AUTO, steps, steps * epochs, workers).count()).isEqualTo(rounds);
  }

  @Test
  void theReasonSaysHowFarWorkersGoAlone() {
    assertThat(Rounds.of(AUTO, 71, 1278, 4).reason())
        .isEqualTo("about 8 steps of a worker between two, as 4 workers train for 1278 steps");
  }
}
