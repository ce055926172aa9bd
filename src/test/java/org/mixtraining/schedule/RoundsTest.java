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
    return Rounds.of(new AveragingConfig.Rounds(number), steps, steps, 1000, workers);
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
    assertThat(Rounds.of(AUTO, 100, 100, 1000, 1).count()).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({
    // steps, epochs, rounds
    "71, 18, 18",
    "141, 18, 35", // twice as many images need twice as many averages
    "71, 36, 9",
    "71, 54, 6", // 12 steps between two averages
    "71, 5400, 1",
    "1600, 18, 67", // 1200 in the whole run
    "3, 18, 1",
    "6, 3, 2",
    "0, 3, 1",
  })
  void theJobAveragesLessOftenInLongRuns(int steps, long epochs, int rounds) {
    assertThat(Rounds.of(AUTO, steps, steps, steps * epochs, 2).count()).isEqualTo(rounds);
    assertThat(Rounds.of(AUTO, steps, steps, steps * epochs, 64).count()).isEqualTo(rounds);
  }

  @Test
  void aShortEpochIsAveragedAsOftenByItsStepsAsALongOne() {
    assertThat(Rounds.of(AUTO, 9, 71, 71 * 18, 2).count()).isEqualTo(2);
  }

  @Test
  void theReasonSaysHowFarWorkersGoAlone() {
    assertThat(Rounds.of(AUTO, 71, 71, 2130, 4).reason())
        .isEqualTo("once every 7 steps or so, of 2130 in the whole run");
  }
}
