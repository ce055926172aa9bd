package org.mixtraining.data.augment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mixtraining.config.AugmentConfig;

class MixupCutmixTest {
  private static final int CHANNELS = 2;
  private static final int SIDE = 8;
  private static final int AREA = SIDE * SIDE;
  private static final int IMAGE = CHANNELS * AREA;

  /**
   * A minibatch whose image n has the value n in every pixel and is of class n, so that targets
   * tell where each share of an image comes from.
   */
  private static final class Mixed {
    final long[] ids;
    final float[] pixels;
    final float[] targets;

    Mixed(double mixup, double cutmix, int epoch, long... ids) {
      this.ids = ids;
      this.pixels = new float[ids.length * IMAGE];
      this.targets = new float[ids.length * ids.length];
      for (int n = 0; n < ids.length; n++) {
        Arrays.fill(pixels, n * IMAGE, (n + 1) * IMAGE, n);
        targets[n * ids.length + n] = 1;
      }
      new MixupCutmix(new AugmentConfig(null, null, mixup, cutmix, null), 5, epoch)
          .mix(ids, pixels, SIDE, SIDE, targets);
    }

    int size() {
      return ids.length;
    }

    int partner(int n) {
      return (n + 1) % size();
    }

    float share(int n, int of) {
      return targets[n * size() + of];
    }

    float pixel(int n, int at) {
      return pixels[n * IMAGE + at];
    }
  }

  private static Mixed mixed(double mixup, double cutmix) {
    return new Mixed(mixup, cutmix, 0, LongStream.range(0, 200).toArray());
  }

  @ParameterizedTest
  @CsvSource({"0.8, 0", "0, 1", "0.2, 0.5"})
  void targetsSumToOneAndAreOfTheImageAndThePartnerOnly(double mixup, double cutmix) {
    Mixed mixed = mixed(mixup, cutmix);

    for (int n = 0; n < mixed.size(); n++) {
      float own = mixed.share(n, n);
      float other = mixed.share(n, mixed.partner(n));
      assertThat(own).isBetween(0f, 1f);
      assertThat(own + other).isCloseTo(1, within(1e-6f));
      for (int c = 0; c < mixed.size(); c++) {
        if (c != n && c != mixed.partner(n)) {
          assertThat(mixed.share(n, c)).isZero();
        }
      }
    }
  }

  @Test
  void mixupBlendsPixelsByTheSharesOfTheTarget() {
    Mixed mixed = mixed(0.8, 0);

    for (int n = 0; n < mixed.size(); n++) {
      float expected = mixed.share(n, n) * n + mixed.share(n, mixed.partner(n)) * mixed.partner(n);
      for (int at = 0; at < IMAGE; at++) {
        assertThat(mixed.pixel(n, at)).isCloseTo(expected, within(1e-3f));
      }
    }
  }

  @Test
  void cutmixPastesARectangleOfThePartnersShareOfTheTarget() {
    Mixed mixed = mixed(0, 1);

    for (int n = 0; n < mixed.size(); n++) {
      int top = SIDE;
      int left = SIDE;
      int bottom = -1;
      int right = -1;
      int pasted = 0;
      for (int at = 0; at < AREA; at++) {
        boolean others = mixed.pixel(n, at) == mixed.partner(n);
        assertThat(mixed.pixel(n, at)).isIn((float) n, (float) mixed.partner(n));
        assertThat(mixed.pixel(n, AREA + at))
            .as("all channels alike")
            .isEqualTo(mixed.pixel(n, at));
        if (others) {
          pasted++;
          top = Math.min(top, at / SIDE);
          bottom = Math.max(bottom, at / SIDE);
          left = Math.min(left, at % SIDE);
          right = Math.max(right, at % SIDE);
        }
      }
      assertThat(mixed.share(n, mixed.partner(n))).isEqualTo((float) pasted / AREA);
      assertThat(pasted).isEqualTo(Math.max(0, bottom - top + 1) * Math.max(0, right - left + 1));
    }
  }

  @Test
  void withBothEachImageGetsTheOneOrTheOther() {
    Mixed mixed = mixed(1, 1);
    int cut = 0;
    for (int n = 0; n < mixed.size(); n++) {
      float first = mixed.pixel(n, 0);
      cut += first == n || first == mixed.partner(n) ? 1 : 0;
    }
    assertThat(cut).isBetween(65, 135); // 5 standard deviations around a half
  }

  @ParameterizedTest
  @CsvSource({"0.2, 0.179", "1, 0.083", "4, 0.028"})
  void sharesAreDrawnFromTheBetaDistribution(double alpha, double variance) {
    Mixed mixed = new Mixed(alpha, 0, 0, LongStream.range(0, 1000).toArray());
    double sum = 0;
    double squares = 0;
    for (int n = 0; n < 1000; n++) {
      sum += mixed.share(n, n);
      squares += Math.pow(mixed.share(n, n) - 0.5, 2);
    }
    assertThat(sum / 1000).isCloseTo(0.5, within(0.07)); // 5 standard errors
    assertThat(squares / 1000).isCloseTo(variance, within(0.15 * variance)); // 1 / (8 alpha + 4)
  }

  @Test
  void howAnImageIsMixedDependsOnItsIdAndTheEpoch() {
    Mixed company = new Mixed(1, 0, 3, 10, 11, 12, 13);
    Mixed others = new Mixed(1, 0, 3, 99, 12, 98);
    Mixed later = new Mixed(1, 0, 4, 10, 11, 12, 13);

    assertThat(others.share(1, 1)).isEqualTo(company.share(2, 2));
    assertThat(later.share(2, 2)).isNotEqualTo(company.share(2, 2));
    assertThat(new Mixed(1, 0, 3, 10, 11, 12, 13).pixels).isEqualTo(company.pixels);
  }

  @Test
  void withoutBothNothingIsMixedAndAnImageAloneStaysItself() {
    Mixed off = mixed(0, 0);
    for (int n = 0; n < off.size(); n++) {
      assertThat(off.share(n, n)).isEqualTo(1);
      assertThat(off.pixel(n, 0)).isEqualTo(n);
    }
    Mixed alone = new Mixed(1, 1, 0, 7);
    assertThat(alone.targets).containsExactly(1);
    assertThat(alone.pixels).containsOnly(0);
  }
}
