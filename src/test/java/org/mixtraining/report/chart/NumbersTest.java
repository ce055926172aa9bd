package org.mixtraining.report.chart;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NumbersTest {

  private static String plain(String text) {
    return text.replace('\u00a0', ' ').replace('\u202f', ' ');
  }

  @Test
  void sharesArePercentAndDifferencesPoints() {
    assertThat(plain(Numbers.percent(0.4532))).isEqualTo("45.3 %");
    assertThat(plain(Numbers.percent(0.4532, 0.0041))).isEqualTo("45.3 ± 0.4 %");
    assertThat(plain(Numbers.percent(0.4532, null))).isEqualTo("45.3 %");
    assertThat(Numbers.percent(null)).isEqualTo("–");
    assertThat(plain(Numbers.share(0.125))).isEqualTo("12.5 %");
    assertThat(plain(Numbers.share(0.4))).isEqualTo("40 %");
    assertThat(Numbers.points(-0.0132)).isEqualTo("−1.3");
    assertThat(Numbers.points(0.0132)).isEqualTo("+1.3");
    assertThat(Numbers.times(1.314)).isEqualTo("1.31×");
  }

  @ParameterizedTest
  @CsvSource({
    "0.04, 0.0 s",
    "9.94, 9.9 s",
    "10, 10 s",
    "59.4, 59 s",
    "59.6, 1:00 min",
    "245, 4:05 min",
    "3600, 1:00 h",
    "11100, 3:05 h"
  })
  void aTimeHasTheUnitThatFits(double seconds, String text) {
    assertThat(plain(Numbers.time(seconds))).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource({"7, 7", "999, 999", "999.6, 1 k", "149194, 149 k", "2.05e12, 2.05 T", "5e20, 500 E"})
  void anAmountHasThreeDigits(double amount, String text) {
    assertThat(plain(Numbers.amount(amount, ""))).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "0.0005, 0.0005", "4.05e-9, 4.05e-9", "123456, 123000", "0.75, 0.75"})
  void digitsAreSignificantOnes(double value, String text) {
    assertThat(Numbers.digits(value, 3)).isEqualTo(text);
  }

  @Test
  void countsAreInFull() {
    assertThat(plain(Numbers.count(1_234_567))).isEqualTo("1 234 567");
    assertThat(Numbers.coordinate(12.04)).isEqualTo("12");
    assertThat(Numbers.coordinate(12.06)).isEqualTo("12.1");
  }
}
