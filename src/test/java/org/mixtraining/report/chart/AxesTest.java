package org.mixtraining.report.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AxesTest {

  @ParameterizedTest
  @CsvSource({
    "0, 0.43, 5, 0, 0.5",
    "0.161, 0.257, 5, 0.16, 0.26",
    "0, 88, 5, 0, 100",
    "-3, 7, 5, -4, 8",
    "5, 5, 5, 4.4, 5.6",
    "0, 0, 5, 0, 1"
  })
  void aRangeIsRoundedToWhereTicksAre(double low, double high, int steps, double from, double to) {
    Range rounded = new Range(low, high).rounded(steps);

    assertThat(rounded.low()).isCloseTo(from, offset(1e-9));
    assertThat(rounded.high()).isCloseTo(to, offset(1e-9));
  }

  @Test
  void ticksAreRoundNumbersWithin() {
    assertThat(new Range(0.5, 12.5).ticks(6)).containsExactly(2.0, 4.0, 6.0, 8.0, 10.0, 12.0);
    assertThat(new Range(0, 1).ticks(5)).hasSize(6).startsWith(0.0).endsWith(1.0);
    assertThat(new Range(0, 2e12).ticks(4)).containsExactly(0.0, 5e11, 1e12, 1.5e12, 2e12);
  }

  @Test
  void theRangeOfNothingAndOfWhatIsNoNumberIsStillOne() {
    assertThat(Range.of(DoubleStream.empty())).isEqualTo(new Range(0, 1));
    assertThat(Range.of(DoubleStream.of(Double.NaN, 2, Double.POSITIVE_INFINITY)))
        .isEqualTo(new Range(2, 2));
    assertThat(new Range(0.2, 0.4).fromZero()).isEqualTo(new Range(0, 0.4));
  }

  @Test
  void aScaleLeadsFromItsLowEndToItsHighEnd() {
    Scale up = new Scale(new Range(0, 50), 260, 60);

    assertThat(up.at(0)).isEqualTo(260);
    assertThat(up.at(50)).isEqualTo(60);
    assertThat(up.at(25)).isEqualTo(160);
  }
}
