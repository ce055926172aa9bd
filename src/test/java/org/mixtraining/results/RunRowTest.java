package org.mixtraining.results;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.mixtraining.results.RunRow.Progress;

class RunRowTest {
  @Test
  void progressHoldsTheSumsAndTheFirstOfTheBestEpochs() {
    Progress progress =
        Progress.of(
            List.of(
                Samples.ssl("a", 1),
                Samples.joint("a", 2, 0.25),
                Samples.joint("a", 3, 0.5),
                Samples.joint("a", 4, 0.5),
                Samples.joint("a", 5, 0.375)),
            List.of(Samples.worker("a", 1, 0), Samples.worker("a", 1, 1)));

    assertThat(progress).isEqualTo(new Progress(5, 0.5, 3, 0.25, 0.1875, 15_000, 15e15, 187.5, 21));
  }

  @Test
  void progressWithoutAHeadHasNoAccuracy() {
    assertThat(Progress.of(List.of(Samples.ssl("a", 1)), List.of()))
        .isEqualTo(new Progress(1, null, null, null, null, 1000, 1e15, 12.5, 0));
  }

  @Test
  void progressOfNothingIsZero() {
    assertThat(Progress.of(List.of(), List.of()))
        .isEqualTo(new Progress(0, null, null, null, null, 0, 0, 0, 0));
  }

  @Test
  void anAccuracyThatIsNotANumberIsNeverTheBest() {
    assertThat(
            Progress.of(
                    List.of(Samples.joint("a", 1, 0.25), Samples.joint("a", 2, Double.NaN)),
                    List.of())
                .bestEpoch())
        .isEqualTo(1);
  }
}
