package org.mixtraining.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PatienceTest {

  @Test
  void itEndsAfterSoManyEpochsWithoutABetterAccuracy() {
    Patience patience = Patience.of(2).after(0.5).after(0.4);
    assertThat(patience.exhausted()).isFalse();
    assertThat(patience.after(0.6).after(0.6).exhausted()).isFalse();
    assertThat(patience.after(0.5).exhausted()).as("an equal one is no better").isTrue();
  }

  @Test
  void theFirstAccuracyIsAlwaysBetter() {
    assertThat(Patience.of(1).exhausted()).isFalse();
    assertThat(Patience.of(1).after(0).exhausted()).isFalse();
    assertThat(Patience.of(1).after(0).after(0).exhausted()).isTrue();
  }

  @Test
  void withoutALimitItNeverEnds() {
    assertThat(Patience.of(0).after(0.5).after(0).after(0).exhausted()).isFalse();
  }
}
