package org.mixtraining.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SliceTest {
  private static final int IMAGES = 40;

  /** Quantiles of some images of which the slice has those within [0.2, 1). */
  private static int[] has(Slice slice) {
    return IntStream.range(0, IMAGES).filter(i -> slice.has(quantile(i), 0.2, 1)).toArray();
  }

  private static double quantile(int i) {
    return (i + 0.5) / IMAGES;
  }

  @ParameterizedTest
  @CsvSource({"0, 1, 8, 39", "0, 0.25, 8, 15", "0.5, 0.5, 24, 39", "0.25, 0.5, 16, 31"})
  void aSliceIsAnArcOfTheImages(double from, double share, int first, int last) {
    assertThat(has(new Slice(from, share)))
        .containsExactly(IntStream.rangeClosed(first, last).toArray());
  }

  @Test
  void itGoesOnAtTheBeginning() {
    assertThat(has(new Slice(0.75, 0.5)))
        .containsExactly(
            IntStream.concat(IntStream.rangeClosed(8, 15), IntStream.rangeClosed(32, 39))
                .toArray());
    assertThat(has(new Slice(0.3, 1))).hasSize(32);
    assertThat(has(Slice.NONE)).isEmpty();
  }

  @Test
  void theNextBeginsWhereOneEndsSoThatAllAreVisitedEquallyOften() {
    int[] visits = new int[IMAGES];
    Slice slice = Slice.NONE;
    for (double share : new double[] {0.9, 0.7, 0.5, 0.3, 0.1, 0.5}) {
      slice = slice.next(share);
      for (int i : has(slice)) {
        visits[i]++;
      }
    }
    assertThat(visits).startsWith(new int[8]);
    assertThat(IntStream.of(visits).skip(8)).allMatch(n -> n == 3);
  }
}
