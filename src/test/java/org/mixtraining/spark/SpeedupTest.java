package org.mixtraining.spark;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SpeedupTest {

  @Test
  void severalWorkersPayWhereTheirShareOfTheStepsIsMoreThanTheAverages() {
    var speedup = new Speedup(4, 80, 300, 0.1);

    assertThat(speedup.together()).isEqualTo(80 / 4.0 + 300 * 0.1);
    assertThat(speedup.pays()).isTrue();
    assertThat(speedup.describe())
        .isEqualTo(
            "4 workers should finish sooner than one: about 50 s (30 s of it for 300 averages of 0.10 s) against 80 s with one; the real gain depends on the machines");
  }

  @Test
  void whereTheyDoNotPayOneWorkerIsAdvised() {
    var speedup = new Speedup(4, 30, 300, 0.1);

    assertThat(speedup.pays()).isFalse();
    assertThat(speedup.describe())
        .isEqualTo(
            "4 workers should finish no sooner than one: about 38 s (30 s of it for 300 averages of 0.10 s) against 30 s with one; mixtraining.workers.count = 1 is no worse");
  }

  @Test
  void oneWorkerWaitsForNobody() {
    assertThat(new Speedup(1, 30, 12, 0.1).pays()).isTrue();
  }
}
