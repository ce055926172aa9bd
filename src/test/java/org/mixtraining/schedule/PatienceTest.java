package org.mixtraining.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PatienceTest {

  @Test
  void itEndsAfterSoManyEpochsWithoutABetterAccuracy() {
    Patience patience = Patience.FRESH.after(0.5).after(0.4);
    assertThat(patience.exhausted(2)).isFalse();
    assertThat(patience.after(0.6).after(0.6).exhausted(2)).isFalse();
    assertThat(patience.after(0.5).exhausted(2)).as("an equal one is no better").isTrue();
  }

  @Test
  void theFirstAccuracyIsAlwaysBetter() {
    assertThat(Patience.FRESH.exhausted(1)).isFalse();
    assertThat(Patience.FRESH.after(0).exhausted(1)).isFalse();
    assertThat(Patience.FRESH.after(0).after(0).exhausted(1)).isTrue();
  }

  @Test
  void withoutALimitItNeverEnds() {
    assertThat(Patience.FRESH.after(0.5).after(0).after(0).exhausted(0)).isFalse();
  }
}
