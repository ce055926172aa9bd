package org.mixtraining.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PatienceTest {

  /** With a limit of 2; an epoch of which there is no accuracy is not scored. */
  private static Patience after(Double... accuracies) {
    Patience patience = Patience.FRESH;
    for (int i = 0; i < accuracies.length; i++) {
      patience =
          accuracies[i] == null ? patience.unscored() : patience.scored(accuracies[i], i + 1, 2);
    }
    return patience;
  }

  @Test
  void itWaitsForABetterAccuracyFromTheLastBetterOneOn() {
    assertThat(after(0.5, 0.4)).isEqualTo(new Patience(0.5, 1, 0));
    assertThat(after(0.5, 0.4, 0.6, 0.6).exhausted()).isFalse();
    assertThat(after(0.5, 0.4, 0.5))
        .as("an equal one is no better")
        .isEqualTo(after(0.5, 0.4, 0.1));
    assertThat(after(0.5, 0.4, 0.5)).isEqualTo(new Patience(0.5, 2, 3));
  }

  @Test
  void itRunsOutOnceAndStaysSo() {
    assertThat(after(0.5, 0.4, 0.5, 0.9, null)).isEqualTo(after(0.5, 0.4, 0.5));
  }

  @Test
  void epochsThatAreNotScoredCountAndItRunsOutWhereOneIs() {
    assertThat(after(0.5, null, null, null).exhausted()).isFalse();
    assertThat(after(0.5, null, null, 0.4)).isEqualTo(new Patience(0.5, 3, 4));
    assertThat(after(0.5, null, null, 0.6)).isEqualTo(new Patience(0.6, 0, 0));
    assertThat(after(null, null, null, 0.0)).isEqualTo(new Patience(0, 0, 0));
  }

  @Test
  void anAccuracyOfZeroIsTheFirstToWaitFor() {
    assertThat(after(0.0).exhausted()).isFalse();
    assertThat(after(0.0, 0.0, 0.0).exhausted()).isTrue();
  }

  @Test
  void anAccuracyThatIsNotANumberIsNoBetterOne() {
    assertThat(after(0.5, Double.NaN)).isEqualTo(new Patience(0.5, 1, 0));
  }

  @Test
  void withoutALimitItWaitsForEver() {
    Patience patience = Patience.FRESH;
    for (int epoch = 1; epoch < 100; epoch++) {
      patience = patience.scored(0.1, epoch, 0);
    }
    assertThat(patience.exhausted()).isFalse();
  }
}
