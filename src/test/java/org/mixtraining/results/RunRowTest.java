package org.mixtraining.results;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.mixtraining.results.RunRow.Progress;

class RunRowTest {
  @Test
  void progressHoldsTheSumsAndTheLastOfTheBestEpochs() {
    Progress progress =
        Progress.NONE
            .plus(
                ResultsFixtures.ssl("a", 1),
                List.of(ResultsFixtures.worker("a", 1, 0), ResultsFixtures.worker("a", 1, 1)))
            .plus(ResultsFixtures.joint("a", 2, 0.25), List.of())
            .plus(ResultsFixtures.joint("a", 3, 0.5), List.of())
            .plus(ResultsFixtures.joint("a", 4, 0.5), List.of())
            .plus(ResultsFixtures.joint("a", 5, 0.375), List.of());

    assertThat(progress)
        .as("a worker with four threads holds four devices")
        .isEqualTo(
            new Progress(
                5, 0.5, 4, 0.25, 0.1875, 15_000, 15e15, 187.5, 4 * 21, 4, 10.0, 15e12, 17.5));
  }

  @Test
  void progressWithoutAHeadHasNoAccuracy() {
    assertThat(Progress.NONE.plus(ResultsFixtures.ssl("a", 1), List.of()))
        .isEqualTo(new Progress(1, null, null, null, null, 1000, 1e15, 12.5, 0, 1, 2.0, 1e12, 3.5));
  }

  @Test
  void anOlderRunThatGoesOnIsCountedInDevicesToo() {
    Progress older =
        new Progress(1, null, null, null, null, 1000, 1e15, 12.5, 7, null, null, null, null);

    Progress newer =
        older.plus(ResultsFixtures.ssl("a", 2), List.of(ResultsFixtures.worker("a", 2, 0)));

    assertThat(newer.deviceSeconds()).isEqualTo(4 * (7 + 10));
    assertThat(newer.devices()).isEqualTo(4);
    assertThat(newer.evaluationFlops()).as("that of its first epoch is not known").isNull();
  }

  @Test
  void anAccuracyThatIsNotANumberIsNeverTheBest() {
    assertThat(
            Progress.NONE
                .plus(ResultsFixtures.joint("a", 1, Double.NaN), List.of())
                .plus(ResultsFixtures.joint("a", 2, 0.25), List.of())
                .plus(ResultsFixtures.joint("a", 3, Double.NaN), List.of())
                .bestEpoch())
        .isEqualTo(2);
  }
}
